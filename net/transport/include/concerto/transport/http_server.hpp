#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/failed_handshakes.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/http_router.hpp>
#include <concerto/transport/socket_budget.hpp>

namespace concerto::net {

class HttpConnection;

/// Limits of one shard's server.
struct HttpServerOptions {
  std::size_t connections_max = 20'000;     ///< more are answered with 503 and closed
  std::size_t header_bytes_max = 64 << 10;  ///< request line and headers; more is 431
  std::size_t body_bytes_max = 4 << 20;     ///< more is 413
  /// Connections use TLS with this context, and ALPN `http/1.1` (see make_tls_server_context).
  /// Null: plain text.
  std::shared_ptr<asio::ssl::context> tls;
  std::chrono::milliseconds handshake_timeout{10'000};  ///< of TLS
  std::chrono::milliseconds header_timeout{10'000};     ///< from connect or from the first byte
  std::chrono::milliseconds body_timeout{30'000};       ///< for the whole body
  std::chrono::milliseconds idle_timeout{120'000};      ///< between two requests
  std::chrono::milliseconds write_timeout{30'000};      ///< for one answer
  /// Is told of every TLS handshake that failed; shared with the same port's servers on other
  /// shards. May be null.
  std::shared_ptr<FailedHandshakes> failed_handshakes;
  /// A further limit on connections, shared with other servers. May be null.
  std::shared_ptr<SocketBudget> sockets;
  /// Memory for requests that have arrived in part, and for answers that clients do not read. A
  /// request that has to make room is answered with 503. Shared with other servers; null: the
  /// server has its own budget.
  std::shared_ptr<BufferBudget> buffers;
  /// Is asked about a request whose header has come and whose body has not come completely. Null:
  /// all bodies are received, and whoever has sent a header is no stranger.
  HttpHeadCheck check_head{};
};

/// Counters of a server. Its shard writes them, and any thread may read them.
struct HttpServerProbe {
  std::atomic<std::uint64_t> accepted_count{0};
  std::atomic<std::uint64_t> request_count{0};
  std::atomic<std::uint64_t> malformed_count{0};  ///< answered with 4xx by the server itself
  std::atomic<std::uint64_t> timed_out_count{0};  ///< connections cut by a timeout
  /// Connections that ended before the TLS handshake was complete.
  std::atomic<std::uint64_t> failed_handshake_count{0};
};

/// The HTTP/1.1 server of one shard: keep-alive, pipelining, limits, timeouts.
///
/// Requests of one connection are handled one after the other, and further pipelined requests stay
/// in the socket. So answers are in order, memory is limited, and a query never overtakes the
/// submit before it. An idle connection holds one small buffer. Malformed input is answered with
/// 4xx and a JSON message, and its connection is closed.
///
/// Use the server on the executor's thread, except where a function says otherwise. Drain it before
/// it is destroyed; otherwise its destructor cancels what runs, and runs the io_context here until
/// no connection is left.
class CONCERTO_EXPORT HttpServer final : public ConnectionServer {
 public:
  HttpServer(Executor executor, Timers& timers, HttpHandler handler,
             HttpServerOptions options = {});
  ~HttpServer() override;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The limit on connections comes from the options.
  [[nodiscard]] bool offer(AcceptedSocket& socket) override;
  void ask_for_room() override;
  /// The client is answered with 503 and may finish writing. A limited number of clients at a time.
  [[nodiscard]] bool turn_away(AcceptedSocket& socket) override;
  void refuse(int descriptor) const noexcept override;
  /// Refused connections do not count.
  std::size_t connection_count() const noexcept override {
    return connection_count_.load(std::memory_order_relaxed);
  }

  /// Changes the options for new connections and requests. `sockets`, `buffers`,
  /// `failed_handshakes`, `check_head` and the use of TLS are not changed. Call it on the
  /// executor's thread.
  void set_limits(const HttpServerOptions& options);

  const HttpServerProbe& probe() const noexcept { return probe_; }

  /// Accepts no more connections, closes idle ones, answers running requests with `Connection:
  /// close`, and cancels the remaining ones at `deadline`. Returns when no connection is left.
  Task<void> drain(SteadyTime deadline) override;

 private:
  friend class HttpConnection;

  void handshake_failed(const asio::ip::tcp::endpoint& peer, const Error& reason);
  Task<void> serve(AcceptedSocket accepted);
  Task<void> serve_refused(AcceptedSocket accepted);
  void adopt(AcceptedSocket accepted);
  void adopt_refused(AcceptedSocket accepted);
  void forget_one(std::atomic<std::size_t>& count) noexcept;
  bool has_connections() const noexcept;
  void make_room();
  const std::string& date();

  Executor executor_;
  Timers& timers_;
  HttpHandler handler_;
  const HttpHeadCheck check_head_;
  HttpServerOptions options_;
  const bool speaks_tls_;
  std::atomic<std::size_t> connections_max_;  ///< read by the acceptor
  const std::shared_ptr<FailedHandshakes> failed_handshakes_;
  const std::shared_ptr<SocketBudget> sockets_;
  const std::shared_ptr<BufferBudget> buffers_;
  HttpServerProbe probe_;
  std::atomic<std::size_t> connection_count_{0};
  std::atomic<std::size_t> refused_count_{0};  ///< refused connections that are still open
  std::atomic<bool> draining_{false};
  std::atomic<bool> making_room_{false};
  std::list<HttpConnection*> connections_;  ///< idle ones in the order in which they became idle
  std::string head_;                        // where answers are put together
  std::string date_;
  SteadyTime date_until_ = SteadyTime::min();
  Notifier closed_one_;
  TaskGroup group_;
};

}  // namespace concerto::net
