#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include <concerto/base/error.hpp>

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

  /// True if the handshake has ended: `write` may be called.
  bool is_open() const noexcept { return SSL_is_init_finished(ssl_.get()) != 0; }

  /// Takes bytes that came from the socket.
  void put(std::string_view wire);
  /// Continues the handshake as far as the bytes allow. `read` does this too.
  [[nodiscard]] Result<> handshake();
  /// Decrypts what has arrived. Returns 0 if more bytes are needed. Errors: the handshake failed or
  /// a record is broken; eof if the peer has ended the session.
  [[nodiscard]] Result<std::size_t> read(std::span<char> clear);

  /// Encrypts `clear`.
  [[nodiscard]] Result<> write(std::string_view clear);
  /// Makes the closing alert.
  void end() noexcept;
  /// Fills `wire` with bytes to send and returns their number: 0 if there are none. After an error
  /// there may be an alert.
  std::size_t pull(std::span<char> wire) noexcept;
  bool wants_write() const noexcept;

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  Error failure(int result) const;

  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace concerto::net
