#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>

struct ssl_st;
struct ssl_ctx_st;

namespace concerto::persist {

/// A server's host and port.
struct RedisServer {
  std::string host;
  std::uint16_t port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
  friend bool operator==(const RedisServer&, const RedisServer&) = default;
};

/// `host:port`, or `host` with `default_port`. IPv6 addresses stand in brackets if a port follows.
Result<RedisServer> parse_server(std::string_view text, std::uint16_t default_port);

/// How servers are reached with TLS. PEM files; each name may be empty.
struct RedisTls {
  /// What is checked before anything is sent to a server.
  enum class Checks : std::uint8_t {
    nothing,
    certificate,  ///< who certifies it
    host,         ///< that, and that it is the certificate of the host
  };
  bool on = false;
  Checks checks = Checks::host;
  std::string ca;           ///< empty: the system's certificates
  std::string certificate;  ///< this client's own, with the chain behind it
  std::string key;
};

/// What connections with TLS share.
class RedisTlsContext {
 public:
  /// Null without TLS. Reads files. Errors: invalid_request.
  static Result<std::shared_ptr<RedisTlsContext>> make(const RedisTls& tls);
  ~RedisTlsContext();
  RedisTlsContext(const RedisTlsContext&) = delete;
  RedisTlsContext& operator=(const RedisTlsContext&) = delete;

  ssl_ctx_st* get() const noexcept { return context_; }
  bool checks_host() const noexcept { return checks_host_; }

 private:
  RedisTlsContext(ssl_ctx_st* context, bool checks_host) noexcept
      : context_(context), checks_host_(checks_host) {}

  ssl_ctx_st* context_;
  const bool checks_host_;
};

/// Whether an operation of a socket failed because the server was silent until its time limit.
bool is_silence(const Error& error) noexcept;

/// A connection of bytes to a server, plain or with TLS, for threads that may block. Every function
/// has a time limit. After an error the connection is not usable any more. Not thread-safe.
class RedisSocket {
 public:
  RedisSocket() = default;
  ~RedisSocket();
  RedisSocket(const RedisSocket&) = delete;
  RedisSocket& operator=(const RedisSocket&) = delete;

  /// Looks the host up, connects, and performs the handshake of TLS. Errors: store_busy.
  Result<> connect(const RedisServer& server, const std::shared_ptr<RedisTlsContext>& tls,
                   std::chrono::milliseconds limit);
  Result<> write(std::string_view bytes, std::chrono::milliseconds limit);
  /// Waits for the first byte and returns what has arrived: at least one byte.
  Result<std::size_t> read(std::span<char> into, std::chrono::milliseconds limit);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  Result<> connect_to_any(const RedisServer& server, Deadline deadline);
  Result<> wait(short events, Deadline deadline) const;
  Result<> handshake(const std::string& host, Deadline deadline);
  /// After an incomplete step of TLS: waits for what the step needs.
  Result<> wait_for_tls(int result, Deadline deadline);
  void close() noexcept;

  int descriptor_ = -1;
  ssl_st* ssl_ = nullptr;
  std::shared_ptr<RedisTlsContext> tls_;
};

}  // namespace concerto::persist
