#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/grpc_call.hpp>
#include <concerto/transport/socket_budget.hpp>

namespace boost::asio::ssl {
class context;
}

namespace concerto::net {

struct GrpcServerOptions {
  std::size_t message_bytes_max = 4u << 20;  ///< of one received message
  std::size_t header_bytes_max = 16u << 10;  ///< of one received header block
  std::size_t streams_per_connection_max = 1000;
  std::size_t connections_max = 20'000;  ///< of this shard; more are closed at once
  /// What bounds connections besides; shared with others. May be null.
  std::shared_ptr<SocketBudget> sockets;
  /// Memory for calls that no handler has taken yet, messages that it has not read, and answers
  /// that the client does not take. Calls that have to make room fail with RESOURCE_EXHAUSTED.
  /// Shared with others; null: one of its own.
  std::shared_ptr<BufferBudget> buffers;

  /// Connections speak TLS with this context, by ALPN `h2` (see make_tls_server_context). Null:
  /// plain text.
  std::shared_ptr<boost::asio::ssl::context> tls;

  /// Until the client's SETTINGS frame, the handshake of TLS included.
  std::chrono::milliseconds handshake_timeout{20'000};
  /// For a request, or the first message and each begun one of a stream, to arrive whole; then the
  /// call fails with DEADLINE_EXCEEDED. A header block that takes longer ends its connection.
  std::chrono::milliseconds request_timeout{30'000};
  /// A connection without calls for this long is ended with GOAWAY; 0 keeps it.
  std::chrono::milliseconds idle_timeout{0};
  std::chrono::milliseconds keepalive_interval{120'000};
  /// Limit for the answer to a PING, and for a client that does not take what it is sent.
  std::chrono::milliseconds keepalive_timeout{20'000};

  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

namespace detail {
class ServerCore;
class ServerCall;
}  // namespace detail

/// Counters of a server; written by its shard, readable from anywhere.
struct GrpcServerProbe {
  /// Connections that ended before the handshake of TLS was done.
  std::atomic<std::uint64_t> failed_handshake_count{0};
};

/// One request of a unary call. Views are valid until the handler ends.
struct GrpcRequest {
  std::string_view method;  ///< full path
  boost::asio::ip::tcp::endpoint peer;
  std::string message;
  GrpcMetadata metadata;
  SteadyTime deadline = SteadyTime::max();

  /// The client has gone or the deadline has passed: the reply will be dropped.
  bool cancelled() const noexcept;

  const detail::ServerCall* call = nullptr;  ///< the transport's
};

/// A stream of messages in both directions, seen from its handler. One reader and one writer may
/// wait at the same time. Valid until the handler ends.
class GrpcServerStream {
 public:
  explicit GrpcServerStream(detail::ServerCall& call) noexcept : call_(call) {}
  GrpcServerStream(const GrpcServerStream&) = delete;
  GrpcServerStream& operator=(const GrpcServerStream&) = delete;

  std::string_view method() const noexcept;
  const boost::asio::ip::tcp::endpoint& peer() const noexcept;
  const GrpcMetadata& metadata() const noexcept;
  SteadyTime deadline() const noexcept;

  /// The client has gone, the deadline has passed or the server closes.
  bool cancelled() const noexcept;
  /// Called once when `cancelled()` becomes true; replaces an earlier one. Must not suspend.
  void on_cancelled(std::function<void()> callback);

  /// The next message, or nothing: the client sends no more, or the call is cancelled.
  Task<std::optional<std::string>> read();
  /// Queues a message; returns when there is room for the next one. False once cancelled.
  Task<bool> write(std::string message);

  /// Sent before the first message; additions after the first write are dropped.
  GrpcMetadata& reply_metadata() noexcept;
  /// Sent with the status.
  GrpcMetadata& trailers() noexcept;

 private:
  detail::ServerCall& call_;
};

/// Runs to its end even when the client goes or the deadline passes: a transaction that was begun
/// has an outcome all the same. An exception that leaves it becomes INTERNAL with its text.
using GrpcUnaryHandler = std::function<Task<GrpcReply>(GrpcRequest)>;

/// Returns the status. The stream outlives the handler's task.
using GrpcStreamHandler = std::function<Task<GrpcStatus>(GrpcServerStream&)>;

/// Serves gRPC on the connections of one shard.
///
/// Register the methods first, then hand over connections (Listener does). Everything on the
/// shard's thread, except where a function says otherwise.
class GrpcServer final : public ConnectionServer {
 public:
  /// `timers` must outlive the server.
  GrpcServer(Executor executor, Timers& timers, GrpcServerOptions options = {});
  /// Drain it first.
  ~GrpcServer() override;
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  /// `method` is the full path: `/package.Service/Method`.
  void add_unary(std::string method, GrpcUnaryHandler handler);
  void add_stream(std::string method, GrpcStreamHandler handler);

  [[nodiscard]] bool offer(AcceptedSocket& socket) override;
  void ask_for_room() override;
  /// gRPC knows no answer before the client has spoken: never taken, and nothing is said.
  [[nodiscard]] bool turn_away(AcceptedSocket&) override { return false; }
  void refuse(int) const noexcept override {}
  /// Those on their way to the shard included.
  std::size_t connection_count() const noexcept override;

  std::size_t call_count() const noexcept;
  const GrpcServerProbe& probe() const noexcept;

  /// From now on, for new connections, `tls` included; the limit on messages also for new calls on
  /// old ones. `buffers` and `sockets` stay as they are.
  void set_limits(const GrpcServerOptions& options);

  /// Refuses new connections, sends GOAWAY on the others, waits until the running calls have
  /// ended; at `deadline` ends what is left with UNAVAILABLE, and gives clients half a second to
  /// read that unless `deadline` had passed before. Returns when no handler runs any more: unary
  /// handlers are waited for without limit.
  Task<void> drain(SteadyTime deadline) override;

 private:
  std::shared_ptr<detail::ServerCore> core_;
};

}  // namespace concerto::net
