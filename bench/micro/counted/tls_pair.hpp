#pragma once

#include <memory>
#include <optional>

#include "tls_session.hpp"

namespace concerto::bench {

/// Moves what `from` wants to send to the other end.
void carry(net::TlsSession& from, net::TlsSession& to);

/// Both ends of a TLS connection without a socket, after the handshake.
class TlsPair {
 public:
  TlsPair();

  net::TlsSession& client() noexcept { return *client_; }
  net::TlsSession& server() noexcept { return *server_; }

 private:
  std::optional<net::TlsSession> client_;
  std::optional<net::TlsSession> server_;
};

}  // namespace concerto::bench
