#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/transport/grpc_server.hpp>

#include "grpc/server_call.hpp"
#include "http2/connection.hpp"
#include "tls_session.hpp"

namespace concerto::net::detail {

struct ServerMethod {
  std::string path;
  GrpcUnaryHandler unary;  ///< exactly one of `unary` and `stream` is set
  GrpcStreamHandler stream;
  StreamKind kind;
  GrpcHeadCheck check;  ///< of unary calls; may be null
};

/// The inside of a GrpcServer, shared with its connections and with accepted sockets that were
/// posted to its thread.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  using Connections = std::list<std::shared_ptr<ServerConnection>>;

  ServerCore(Executor executor, Timers& timers, GrpcServerOptions options);
  ~ServerCore();

  const Executor& executor() const noexcept { return executor_; }
  Timers& timers() noexcept { return timers_; }
  http2::SendRound& round() noexcept { return *round_; }
  const GrpcServerOptions& options() const noexcept { return options_; }
  BufferBudget& buffers() noexcept { return *buffers_; }
  TaskGroup& handlers() noexcept { return handlers_; }
  bool is_closing() const noexcept { return closing_; }
  /// Whether any method has a check.
  bool has_checks() const noexcept { return has_checks_; }

  void add(ServerMethod method);
  /// Null if the path is unknown.
  const ServerMethod* find(std::string_view path) const;
  /// The error text for a path that `find` does not know.
  std::string why_unknown(std::string_view path) const;

  void set_limits(const GrpcServerOptions& options);
  bool offer(AcceptedSocket& socket);
  /// Counts one more standing stream of a connection that has `others`. False beyond a limit.
  bool admit_standing(std::size_t others);
  void forget_standing() noexcept { --standing_count_; }
  void ask_for_room();
  void lost(ServerConnection& connection);
  Task<void> drain(SteadyTime deadline);

  std::size_t connection_count() const noexcept { return connection_count_; }
  const GrpcServerProbe& probe() const noexcept { return probe_; }

 private:
  std::unique_ptr<TlsSession> make_tls() const;
  Task<void> wait_for_the_last(SteadyTime deadline);
  void adopt(AcceptedSocket accepted);
  void handshake_failed(const ServerConnection& connection);
  void forget_one() noexcept;
  void make_room();
  void sweep();

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  const Executor executor_;
  Timers& timers_;
  GrpcServerOptions options_;
  std::atomic<std::size_t> connections_max_;
  const std::shared_ptr<FailedHandshakes> failed_handshakes_;
  const std::shared_ptr<SocketBudget> sockets_;
  const std::shared_ptr<http2::SendRound> round_;
  GrpcServerProbe probe_;
  std::unordered_map<std::string, ServerMethod, Hash, std::equal_to<>> methods_;
  std::unordered_set<std::string, Hash, std::equal_to<>> services_;
  const std::shared_ptr<BufferBudget> buffers_;
  /// Includes sockets that were posted to this thread.
  std::atomic<std::size_t> connection_count_ = 0;
  std::atomic<bool> making_room_{false};
  Connections connections_;
  std::size_t standing_count_ = 0;
  bool has_checks_ = false;
  bool draining_ = false;  ///< no more connections are accepted
  bool closing_ = false;   ///< no more calls are accepted
  Timer sweep_;            ///< ends requests that do not arrive
  Notifier emptied_;
  TaskGroup handlers_;
};

/// A connection of a server.
class ServerConnection final : public http2::Connection {
 public:
  ServerConnection(ByteStream stream, std::shared_ptr<ServerCore> server,
                   const asio::ip::tcp::endpoint& peer);

  ServerCore& server() noexcept { return *server_; }
  const asio::ip::tcp::endpoint& peer() const noexcept { return peer_; }
  BufferBudget::Holder& buffers() noexcept { return buffers_; }

  /// Fails the calls whose requests are incomplete and began to arrive by `begun_by`. False if such
  /// a request's header block is incomplete: then the connection can only be closed.
  bool end_unfinished(SteadyTime begun_by);

  /// Counts the calls that keep the connection from being closed to make room for another one.
  void hold() noexcept { ++holding_count_; }
  void let_go();
  bool is_held() const noexcept { return holding_count_ > 0; }
  /// Since when the connection is not held.
  SteadyTime quiet_since() const noexcept { return quiet_since_; }

  /// Counts a standing stream. False beyond a limit.
  bool admit_standing();
  void forget_standing() noexcept;

 private:
  friend class ServerCore;

  class Buffers final : public BufferBudget::Holder {
   public:
    Buffers(BufferBudget& budget, ServerConnection& owner) : Holder(budget), owner_(owner) {}

   private:
    void shed(Excess excess) override;
    ServerConnection& owner_;
  };

  http2::StreamPtr on_request() override;
  void on_lost() override;
  void make_room();
  void on_unsent(std::size_t before, std::size_t now) override {
    buffers_.change_answer(before, now);
  }

  const std::shared_ptr<ServerCore> server_;
  ServerCore::Connections::iterator place_;  ///< in the server's list
  const asio::ip::tcp::endpoint peer_;
  ClientPlace client_place_;
  std::size_t holding_count_ = 0;
  std::size_t standing_count_ = 0;
  SteadyTime quiet_since_;
  Buffers buffers_;
};

}  // namespace concerto::net::detail
