#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include <concerto/base/error.hpp>

namespace concerto::net::http2 {

/// The client's side of TLS without a socket: it takes bytes that came from the wire and gives
/// those that go there. HTTP/2 is what it offers by ALPN.
class TlsSession {
 public:
  /// A client of `host`, a name or an IP address, whose certificate must be valid and name it.
  TlsSession(SSL_CTX& context, const std::string& host);

  /// The handshake is done: `write` may be called.
  bool is_open() const noexcept { return SSL_is_init_finished(ssl_.get()) != 0; }

  /// Bytes from the wire.
  void put(std::string_view wire);
  /// What they mean, in clear: 0 when more bytes are needed. Errors: the handshake failed, a
  /// record is broken, the peer has ended the session.
  [[nodiscard]] Result<std::size_t> read(std::span<char> clear);

  /// Encrypts all of it.
  [[nodiscard]] Result<> write(std::string_view clear);
  /// Bytes for the wire: 0 when there are none. After an error there may be an alert.
  std::size_t pull(std::span<char> wire) noexcept;
  bool wants_write() const noexcept;

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  Error failure(int result) const;

  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace concerto::net::http2
