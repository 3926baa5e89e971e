#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include <concerto/base/error.hpp>
#include <concerto/transport/peer_certificate.hpp>

#include "hello_check.hpp"

namespace concerto::net {

/// The protocols that ALPN can agree on.
enum class Alpn : std::uint8_t { http_1_1, http_2 };

/// Lets the servers of this context choose their protocol from the client's offer. A client that
/// offers only other protocols is refused; a client that offers none is served.
void choose_alpn(SSL_CTX& context) noexcept;

/// TLS without a socket, for clients and servers: `put` takes bytes that came from the socket,
/// `pull` gives bytes to send.
class TlsSession {
 public:
  /// A client. The server's certificate must be valid for `host`, a name or an IP address.
  TlsSession(SSL_CTX& context, Alpn alpn, const std::string& host);
  /// A server.
  TlsSession(SSL_CTX& context, Alpn alpn);

  /// True once the handshake has ended: `write` may be called. It stays true: of OpenSSL's own
  /// state, a peer that sends a part of a message decides.
  bool is_open() const noexcept { return is_open_; }
  /// The certificate that a server's client has shown; null as long as the session is not open, if
  /// the client has shown none, and for a client's session.
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const noexcept {
    return peer_certificate_;
  }

  /// Takes bytes that came from the socket.
  void put(std::string_view wire);
  /// Continues the handshake as far as the bytes allow. `read` does this too.
  [[nodiscard]] Result<> handshake();
  /// Decrypts what has arrived. Returns 0 if more bytes are needed. Errors: the handshake failed or
  /// a record is broken; the peer sends messages of TLS without end, or does not read the answers
  /// to them; eof if the peer has ended the session.
  [[nodiscard]] Result<std::size_t> read(std::span<char> clear);

  /// Encrypts `clear`. Error: a message of the peer has arrived in part, and the rest is missing.
  [[nodiscard]] Result<> write(std::string_view clear);
  /// Makes the closing alert.
  void end() noexcept;
  /// Fills `wire` with bytes to send and returns their number: 0 if there are none. After an error
  /// there may be an alert.
  std::size_t pull(std::span<char> wire) noexcept;
  /// Number of bytes that `pull` would give.
  std::size_t pending_bytes() const noexcept;

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  void check_hello(std::string_view wire);
  void open();
  bool begins_again() const noexcept;
  bool has_input() const noexcept;
  Result<> step(int result);
  Error failure(int result) const;

  std::unique_ptr<SSL, Free> ssl_;
  std::shared_ptr<const PeerCertificate> peer_certificate_;
  std::optional<HelloCheck> hello_check_;  ///< of a server, as long as a ClientHello may arrive
  std::string refused_;                    ///< what it found
  bool is_open_ = false;
  std::size_t unread_bytes_ = 0;  ///< taken since `read` last returned application data
};

}  // namespace concerto::net
