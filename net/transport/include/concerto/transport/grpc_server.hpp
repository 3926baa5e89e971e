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
#include <concerto/base/export.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/connection_server.hpp>
#include <concerto/transport/failed_handshakes.hpp>
#include <concerto/transport/grpc_call.hpp>
#include <concerto/transport/socket_budget.hpp>

namespace boost::asio::ssl {
class context;
}

namespace concerto::net {

struct PeerCertificate;

struct GrpcServerOptions {
  std::size_t message_bytes_max = 4u << 20;  ///< of one received message
  std::size_t header_bytes_max = 16u << 10;  ///< of one received header block
  std::size_t streams_per_connection_max = 1000;
  std::size_t connections_max = 20'000;  ///< of this shard; more are closed at once
  /// A further limit on connections, shared with other servers. May be null.
  std::shared_ptr<SocketBudget> sockets;
  /// Limits on standing streams (StreamKind); more fail with RESOURCE_EXHAUSTED. The second limit
  /// is of this shard, and does not hold for a connection's only standing stream.
  std::size_t standing_streams_per_connection_max = 100;
  std::size_t standing_streams_max = 10'000;
  /// Memory for calls that no handler has yet, for messages that handlers have not read, and for
  /// answers that clients do not read. Calls that have to make room fail with RESOURCE_EXHAUSTED.
  /// Shared with other servers; null: the server has its own budget.
  std::shared_ptr<BufferBudget> buffers;

  /// Connections use TLS with this context, and ALPN `h2` (see make_tls_server_context). Null:
  /// plain text.
  std::shared_ptr<boost::asio::ssl::context> tls;

  /// Is told of every TLS handshake that failed; shared with the same port's servers on other
  /// shards. May be null.
  std::shared_ptr<FailedHandshakes> failed_handshakes;

  /// Time until the client's SETTINGS frame, the handshake of TLS included.
  std::chrono::milliseconds handshake_timeout{20'000};
  /// Time within which a request has to arrive completely; in a stream, the first message and each
  /// message that has begun. After it the call fails with DEADLINE_EXCEEDED. A header block that
  /// takes longer ends its connection.
  std::chrono::milliseconds request_timeout{30'000};
  /// A connection without calls for this long is ended with GOAWAY; 0 keeps connections open.
  std::chrono::milliseconds idle_timeout{0};
  std::chrono::milliseconds keepalive_interval{120'000};
  /// Time limit for the answer to a PING, and for a client that does not read what the server
  /// sends.
  std::chrono::milliseconds keepalive_timeout{20'000};

  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

namespace detail {
class ServerCore;
class ServerCall;
}  // namespace detail

/// Counters of a server. Its shard writes them, and any thread may read them.
struct GrpcServerProbe {
  /// Connections that ended before the TLS handshake was complete.
  std::atomic<std::uint64_t> failed_handshake_count{0};
};

/// One request of a unary call. Views are valid until the handler ends.
struct CONCERTO_EXPORT GrpcRequest {
  std::string_view method;  ///< full path
  boost::asio::ip::tcp::endpoint peer;
  /// The certificate that the client has shown over TLS (peer_certificate.hpp); null without one.
  std::shared_ptr<const PeerCertificate> certificate;
  std::string message;
  GrpcMetadata metadata;
  SteadyTime deadline = SteadyTime::max();

  /// Whether the client has gone, the deadline has passed or the server closes; the reply will then
  /// be dropped.
  bool cancelled() const noexcept;
  /// Sets a function that is called once when `cancelled()` becomes true, in place of an earlier
  /// function. It must not suspend. So a handler that waits can end its waiting, also at a stop.
  void on_cancelled(std::function<void()> callback) const;
  /// Tells the server that the sender may make such calls, so its connection is no stranger's
  /// (BufferBudget).
  void let_in() const noexcept;

  detail::ServerCall* call = nullptr;  ///< the transport's
};

/// A stream of messages in both directions, seen from its handler. One reader and one writer may
/// wait at the same time. Valid until the handler ends.
class CONCERTO_EXPORT GrpcServerStream {
 public:
  explicit GrpcServerStream(detail::ServerCall& call) noexcept : call_(call) {}
  GrpcServerStream(const GrpcServerStream&) = delete;
  GrpcServerStream& operator=(const GrpcServerStream&) = delete;

  std::string_view method() const noexcept;
  const boost::asio::ip::tcp::endpoint& peer() const noexcept;
  /// The certificate that the client has shown over TLS; null without one.
  const std::shared_ptr<const PeerCertificate>& certificate() const noexcept;
  const GrpcMetadata& metadata() const noexcept;
  SteadyTime deadline() const noexcept;

  /// Whether the client has gone, the deadline has passed or the server closes.
  bool cancelled() const noexcept;
  /// Sets a function that is called once when `cancelled()` becomes true, in place of an earlier
  /// function. It must not suspend.
  void on_cancelled(std::function<void()> callback);

  /// The next message, or nothing if the client sends no more or the call is cancelled.
  Task<std::optional<std::string>> read();
  /// Queues a message, and returns when there is room for the next one. Returns false once the call
  /// is cancelled.
  Task<bool> write(std::string message);

  /// Metadata that is sent before the first message. Additions after the first write are dropped.
  GrpcMetadata& reply_metadata() noexcept;
  /// Sent with the status.
  GrpcMetadata& trailers() noexcept;

 private:
  detail::ServerCall& call_;
};

/// Handles a unary call. A handler runs to its end even if the client goes or the deadline passes,
/// because a transaction that has begun still gets its result, unless it asks
/// (GrpcRequest::on_cancelled). An exception that leaves the handler
/// becomes INTERNAL with the exception's text.
using GrpcUnaryHandler = std::function<Task<GrpcReply>(GrpcRequest)>;

/// Looks at a unary call before its message is complete: the request has no message. Returns what
/// answers a call whose message is not wanted. It must not use the request after it has returned.
/// If it refuses nothing, the call comes to its handler, which has to check it whole.
using GrpcHeadCheck = std::function<std::optional<Task<GrpcReply>>(const GrpcRequest&)>;

enum class StreamKind : std::uint8_t {
  working,   ///< keeps its connection open, like a call
  standing,  ///< open without an end, like a watch: its connection counts as idle
};

/// Handles a stream and returns the status. The stream outlives the handler's task.
using GrpcStreamHandler = std::function<Task<GrpcStatus>(GrpcServerStream&)>;

/// Serves gRPC on the connections of one shard.
///
/// Register the methods first, then pass connections to the server (Listener does that). Call all
/// functions on the shard's thread, except where a function says otherwise.
class CONCERTO_EXPORT GrpcServer final : public ConnectionServer {
 public:
  /// `timers` must outlive the server.
  GrpcServer(Executor executor, Timers& timers, GrpcServerOptions options = {});
  /// Drain the server first. If handlers still run, cancels them and runs the io_context here until
  /// they have ended.
  ~GrpcServer() override;
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  /// `method` is the full path: `/package.Service/Method`. If any method has a `check`, connections
  /// are strangers' (BufferBudget) until a check or a handler lets a request in.
  void add_unary(std::string method, GrpcUnaryHandler handler, GrpcHeadCheck check = nullptr);
  void add_stream(std::string method, GrpcStreamHandler handler,
                  StreamKind kind = StreamKind::working);

  [[nodiscard]] bool offer(AcceptedSocket& socket) override;
  void ask_for_room() override;
  /// gRPC has no answer before the client has sent something, so such connections are never taken
  /// over and nothing is sent.
  [[nodiscard]] bool turn_away(AcceptedSocket&) override { return false; }
  void refuse(int) const noexcept override {}
  /// Connections on their way to the shard are included.
  std::size_t connection_count() const noexcept override;

  std::size_t call_count() const noexcept;
  const GrpcServerProbe& probe() const noexcept;

  /// Changes the options for new connections, `tls` included. The limit on messages also holds for
  /// new calls on existing connections. `buffers`, `sockets` and `failed_handshakes` are not
  /// changed.
  void set_limits(const GrpcServerOptions& options);

  /// Refuses new connections, sends GOAWAY on the others and waits until the running calls have
  /// ended. At `deadline` it ends the remaining calls with UNAVAILABLE, and gives clients half a
  /// second to read that, unless `deadline` had passed before. Returns when no handler runs any
  /// more; it waits for unary handlers without a limit.
  Task<void> drain(SteadyTime deadline) override;

 private:
  std::shared_ptr<detail::ServerCore> core_;
};

}  // namespace concerto::net
