#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/http_proxy.hpp>
#include <concerto/transport/target_guard.hpp>

namespace concerto::net {

struct HttpClientOptions {
  std::size_t connections_per_host_max = 1024;  ///< more requests wait for a connection
  std::size_t connections_max = 8192;           ///< to all hosts; idle ones to other hosts give way
  std::size_t header_bytes_max = 64 << 10;      ///< of an answer
  std::size_t body_bytes_max = 4 << 20;         ///< of an answer, after decompression
  std::chrono::milliseconds idle_timeout{90'000};  ///< after it an unused connection is closed
  /// The budget in which large answers count while they are read. May be null.
  std::shared_ptr<BufferBudget> buffers;
  unsigned redirects_max = 10;
  /// If true, a redirect sends the request's headers to another host, except credentials. If false,
  /// the other host gets only headers that say what the body is and which answers are understood.
  bool redirects_carry_headers = false;
  /// Which targets may be called; asked before each connection, before each request is sent, and at
  /// each redirect. Null: all. Outlives the client.
  const TargetGuard* targets = nullptr;
};

/// Whether the field frames the message or belongs to one connection only. The client writes such
/// fields itself and ignores the request's.
CONCERTO_EXPORT bool is_clients_own_field(std::string_view name) noexcept;

/// A request to send. The views must stay valid until send() has returned.
struct HttpClientRequest {
  std::string method = "GET";
  std::string url;
  /// A Host field replaces the URL's host, if the policy about targets allows it. Fields that frame
  /// the message or belong to one connection are ignored.
  HttpHeaders headers;
  std::string_view body;
  /// How many bytes of an answer's body are kept. The rest is read, searched for `marks` and
  /// dropped.
  std::size_t body_kept_max = std::string::npos;
  std::span<const std::string_view> marks;  ///< at most 32
};

struct HttpClientResponse {
  unsigned status = 0;
  HttpHeaders headers;
  std::string body;                ///< decompressed
  std::uint32_t marks_beyond = 0;  ///< bit i: marks[i] ends behind the kept bytes
  bool truncated = false;          ///< the body was longer than the limit and is cut there
};

/// HTTP/1.1 client of one shard with pooled keep-alive connections.
///
/// The client follows redirects, uses proxies, verifies certificates, asks for gzip and unpacks it;
/// it keeps no cookies. If a pooled connection turns out to be closed before any byte of a request
/// was sent, the request is sent again on a new connection. Every other failure is returned to the
/// caller.
///
/// Use the client on the executor's thread, and close it before it is destroyed.
class CONCERTO_EXPORT HttpClient {
 public:
  /// `resolver` must outlive the client. Without `tls`, https requests are refused.
  HttpClient(Executor executor, Timers& timers, HostResolver& resolver,
             std::shared_ptr<asio::ssl::context> tls, HttpProxyRules proxies,
             HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends a request and returns the final answer, whatever its status. Look-up of the name,
  /// connecting, TLS, redirects and the body all have to end before `deadline`. Errors are
  /// HttpErrc.
  Async<HttpClientResponse> send(HttpClientRequest request, SteadyTime deadline);

  /// Sets the context with which new connections verify https servers.
  void set_tls(std::shared_ptr<asio::ssl::context> tls);

  /// Refuses new requests, ends the running requests and returns when they have ended.
  Task<void> close();

  /// Whether requests to this place may be sent, as far as its text tells. On any thread.
  [[nodiscard]] Result<> check_target(const TargetPlace& place) const;

  /// Whether a request to this place may have this Host field. On any thread.
  [[nodiscard]] Result<> check_host(const TargetPlace& place, std::string_view host_field) const;

  /// There may be another policy about targets: closes the connections that no request uses and
  /// that another policy has let be made. Those in use are not used again.
  void targets_changed();

  std::size_t connection_count() const noexcept;
  std::size_t idle_connection_count() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
