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
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/http_proxy.hpp>

namespace concerto::net {

struct HttpClientOptions {
  std::size_t connections_per_host_max = 1024;     ///< more requests wait for a connection
  std::size_t connections_max = 8192;              ///< of all hosts; idle ones of others give way
  std::size_t header_bytes_max = 64 << 10;         ///< of an answer
  std::size_t body_bytes_max = 4 << 20;            ///< of an answer, after decompression
  std::chrono::milliseconds idle_timeout{90'000};  ///< then an unused connection is closed
  /// What large answers count in while they are read; may be null.
  std::shared_ptr<BufferBudget> buffers;
  unsigned redirects_max = 10;
  /// A redirect to another host gets the request's headers, but no credentials. Without it that
  /// host gets only headers that say what the body is and which answers are understood.
  bool redirects_carry_headers = false;
};

/// Whether the field frames the message or concerns one connection only. The client writes those
/// itself, and passes over what a request says of them.
bool is_clients_own_field(std::string_view name) noexcept;

/// A request to send. The views must stay valid until send() has returned.
struct HttpClientRequest {
  std::string method = "GET";
  std::string url;
  /// Host replaces the URL's. What frames the message or concerns one connection is passed over.
  HttpHeaders headers;
  std::string_view body;
  /// An answer's body is kept this far; the rest is read, looked through for `marks` and dropped.
  std::size_t body_kept_max = std::string::npos;
  std::span<const std::string_view> marks;  ///< at most 32
};

struct HttpClientResponse {
  unsigned status = 0;
  HttpHeaders headers;
  std::string body;                ///< decompressed
  std::uint32_t marks_beyond = 0;  ///< bit i: marks[i] ends behind what was kept
  bool truncated = false;          ///< the body was longer than the limit and is cut there
};

/// HTTP/1.1 client of one shard with pooled keep-alive connections.
///
/// It follows redirects, goes through proxies, verifies certificates, asks for gzip and unpacks
/// it; it keeps no cookies. A request that finds its pooled connection closed before any byte was
/// sent is sent again on a fresh one; any other failure is the caller's to judge.
///
/// Used on the executor's thread. Close it before it dies.
class HttpClient {
 public:
  /// `resolver` must outlive this object. Without `tls` https requests are refused.
  HttpClient(Executor executor, Timers& timers, HostResolver& resolver,
             std::shared_ptr<asio::ssl::context> tls, HttpProxyRules proxies,
             HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends and returns the final answer, whatever its status. Name look-up, connecting, TLS,
  /// redirects and the body all happen before `deadline`. Errors are HttpErrc.
  Async<HttpClientResponse> send(HttpClientRequest request, SteadyTime deadline);

  /// What new connections verify https servers with.
  void set_tls(std::shared_ptr<asio::ssl::context> tls);

  /// Refuses new requests, ends those in flight and returns when they have ended.
  Task<void> close();

  std::size_t connection_count() const noexcept;
  std::size_t idle_connection_count() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
