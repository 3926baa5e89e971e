#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/address_source.hpp>
#include <concerto/transport/grpc_call.hpp>
#include <concerto/transport/socket_budget.hpp>

namespace boost::asio::ssl {
class context;
}

namespace concerto::net {

struct GrpcChannelOptions {
  /// The `:authority` of every call; the socket address if empty.
  std::string authority;
  std::string user_agent = "concerto";
  /// Connections use TLS, and the server's certificate must name `tls_host`, or the IP address that
  /// was connected to if that is empty. Null: plain text.
  std::shared_ptr<boost::asio::ssl::context> tls;
  std::string tls_host;
  std::size_t message_bytes_max = 4u << 20;  ///< of one received message
  std::size_t header_bytes_max = 16u << 10;  ///< of one received header or trailer block

  /// Streams that one connection carries, if the peer does not allow less.
  std::size_t streams_per_connection_max = 1000;
  /// More connections to an address are opened when all of its connections are full.
  std::size_t connections_per_address_max = 8;
  /// Limits the connections of all channels that share this budget. May be null.
  std::shared_ptr<SocketBudget> sockets;
  /// Calls that may wait for a connection; more are refused with RESOURCE_EXHAUSTED.
  std::size_t waiting_calls_max = 10'000;

  std::chrono::milliseconds connect_timeout{5'000};  ///< until the peer's SETTINGS frame
  std::chrono::milliseconds backoff_min{100};
  std::chrono::milliseconds backoff_max{10'000};

  /// A PING is sent when nothing has arrived for this long while calls are running. A PING is also
  /// sent when a call gets no answer in time and nothing else has arrived either; until something
  /// arrives, calls use another connection. gRPC servers end connections that ping more often than
  /// they allow (every 5 minutes unless configured); the interval is then doubled.
  std::chrono::milliseconds keepalive_interval{300'000};
  /// Time limit for the answer to a PING, and for the peer's kernel to acknowledge sent bytes.
  std::chrono::milliseconds keepalive_timeout{20'000};

  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

namespace detail {
class ChannelCore;
class ClientCall;
}  // namespace detail

/// Which parts of a unary call's answer the caller needs.
enum class GrpcAnswer : bool {
  status,  ///< the message is checked and dropped as it arrives
  message,
};

/// A stream of messages in both directions. One reader and one writer may wait at the same time.
/// The destructor cancels the call.
class CONCERTO_EXPORT GrpcClientStream {
 public:
  /// Made by GrpcChannel::open_stream.
  explicit GrpcClientStream(detail::ClientCall* call);
  ~GrpcClientStream();
  GrpcClientStream(const GrpcClientStream&) = delete;
  GrpcClientStream& operator=(const GrpcClientStream&) = delete;

  /// Queues a message, and returns when there is room for the next one. Returns false if the call
  /// has ended; finish() tells why.
  Task<bool> write(std::string message);

  /// Tells the server that no more messages follow.
  void writes_done();

  /// The next message, or nothing if the call has ended.
  Task<std::optional<std::string>> read();

  /// Waits for the end of the call and drops messages that were not read. The reply has status,
  /// metadata and trailers.
  Task<GrpcReply> finish();

  /// Ends the call with CANCELLED. Waiting coroutines resume soon after.
  void cancel();

 private:
  detail::ClientCall* call_;  ///< counted reference
};

/// Calls to the services behind one target, from one shard.
///
/// A channel connects on demand, keeps its connections, and uses the target's addresses in turn.
/// Calls are not "wait for ready": while every address is in backoff after a failed connect, calls
/// fail at once with UNAVAILABLE and the error of the connect. A call that the peer provably did
/// not process is sent once more. Call all functions on the shard's thread.
class CONCERTO_EXPORT GrpcChannel {
 public:
  /// The referenced objects must outlive the channel.
  GrpcChannel(Executor executor, Timers& timers, RandomSource& random, AddressSource& addresses,
              GrpcChannelOptions options = {});
  ~GrpcChannel();
  GrpcChannel(const GrpcChannel&) = delete;
  GrpcChannel& operator=(const GrpcChannel&) = delete;

  /// Sends one request and returns one reply. `method` is the full path: `/package.Service/Method`.
  /// The call ends by `deadline` (SteadyTime::max(): none), which is sent to the server too.
  /// Cancelling the waiting coroutine cancels the call.
  Task<GrpcReply> unary(std::string method, std::string message, GrpcMetadata metadata,
                        SteadyTime deadline, GrpcAnswer answer = GrpcAnswer::message);

  /// Starts a streaming call, even if there is no connection yet. Never returns null.
  std::unique_ptr<GrpcClientStream> open_stream(std::string method, GrpcMetadata metadata,
                                                SteadyTime deadline);

  /// Replaces the context of a channel that uses TLS. Open connections stay as they are.
  void set_tls(std::shared_ptr<boost::asio::ssl::context> tls);

  /// Ends every call with UNAVAILABLE, and closes every connection. Further calls fail in the same
  /// way.
  void close();

  std::size_t connection_count() const noexcept;
  std::size_t call_count() const noexcept;

 private:
  std::shared_ptr<detail::ChannelCore> core_;
};

}  // namespace concerto::net
