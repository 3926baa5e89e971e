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

/// What ALPN agrees on.
enum class Alpn : std::uint8_t { http_1_1, http_2 };

/// Lets servers of this context choose their protocol among what a client offers. A client that
/// offers others only is refused; one that offers nothing is served.
void choose_alpn(SSL_CTX& context) noexcept;

/// TLS without a socket: a session takes bytes that came from the wire and gives those that go
/// there. Both sides.
class TlsSession {
 public:
  /// A client of `host`, a name or an IP address, whose certificate must be valid and name it.
  TlsSession(SSL_CTX& context, Alpn alpn, const std::string& host);
  /// A server.
  TlsSession(SSL_CTX& context, Alpn alpn);

  /// The handshake is done: `write` may be called.
  bool is_open() const noexcept { return SSL_is_init_finished(ssl_.get()) != 0; }

  /// Bytes from the wire.
  void put(std::string_view wire);
  /// Goes on with the handshake, as far as it gets with what has come. `read` does so too.
  [[nodiscard]] Result<> handshake();
  /// What the bytes mean, in clear: 0 when more bytes are needed. Errors: the handshake failed, a
  /// record is broken; eof when the peer has ended the session.
  [[nodiscard]] Result<std::size_t> read(std::span<char> clear);

  /// Encrypts all of it.
  [[nodiscard]] Result<> write(std::string_view clear);
  /// Says that no more follows.
  void end() noexcept;
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

}  // namespace concerto::net
