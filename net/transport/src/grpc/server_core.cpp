#include "grpc/server_core.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include <concerto/base/assert.hpp>

namespace concerto::net::detail {
namespace {

/// Places for handlers that begin after others (see TaskGroup). About 1 KiB each.
constexpr std::size_t spare_handlers = 256;

/// When a new connection finds no room, an idle one is searched among this many.
constexpr std::size_t looked_at_max = 64;

/// Each request_timeout has this many searches for requests that do not arrive, so a request may
/// take up to a quarter longer.
constexpr int sweeps_per_timeout = 4;

http2::SessionOptions session_options(const GrpcServerOptions& options) {
  http2::SessionOptions result;
  result.streams_max = static_cast<std::uint32_t>(options.streams_per_connection_max);
  result.header_bytes_max = static_cast<std::uint32_t>(options.header_bytes_max);
  result.stream_window_bytes = options.stream_window_bytes;
  result.connection_window_bytes = options.connection_window_bytes;
  return result;
}

http2::ConnectionLimits limits(const GrpcServerOptions& options) {
  http2::ConnectionLimits result;
  result.handshake_timeout = options.handshake_timeout;
  result.keepalive_interval = options.keepalive_interval;
  result.keepalive_timeout = options.keepalive_timeout;
  result.idle_timeout = options.idle_timeout;
  return result;
}

Error closing_error() {
  return Error{boost::system::errc::make_error_code(boost::system::errc::operation_canceled),
               "the server is shutting down"};
}

}  // namespace

ServerCore::ServerCore(Executor executor, Timers& timers, GrpcServerOptions options)
    : executor_(executor),
      timers_(timers),
      options_(options),
      connections_max_(options.connections_max),
      failed_handshakes_(options.failed_handshakes),
      sockets_(options.sockets),
      round_(std::make_shared<http2::SendRound>(executor)),
      buffers_(options.buffers ? options.buffers
                               : std::make_shared<BufferBudget>(BufferBudget::Limits{})),
      sweep_(timers, [this] { sweep(); }),
      emptied_(executor),
      handlers_(executor, spare_handlers) {}

ServerCore::~ServerCore() = default;

void ServerCore::add(ServerMethod method) {
  const auto slash = method.path.rfind('/');
  CONCERTO_ASSERT(method.path.starts_with('/') && slash > 1);
  services_.insert(method.path.substr(1, slash - 1));
  has_checks_ |= method.check != nullptr;
  std::string path = method.path;
  methods_.insert_or_assign(std::move(path), std::move(method));
}

const ServerMethod* ServerCore::find(std::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : &found->second;
}

std::string ServerCore::why_unknown(std::string_view path) const {
  const auto slash = path.rfind('/');
  if (!path.starts_with('/') || slash == 0) {
    return "malformed method name: \"" + std::string(path) + "\"";
  }
  const std::string service(path.substr(1, slash - 1));
  if (!services_.contains(service)) return "unknown service " + service;
  return "unknown method " + std::string(path.substr(slash + 1)) + " for service " + service;
}

void ServerCore::set_limits(const GrpcServerOptions& options) {
  options_ = options;
  connections_max_.store(options.connections_max, std::memory_order_relaxed);
}

bool ServerCore::offer(AcceptedSocket& socket) {
  const bool has_room =
      connection_count_.fetch_add(1) < connections_max_.load(std::memory_order_relaxed);
  if (!has_room || (sockets_ && !sockets_->take())) {
    --connection_count_;
    ask_for_room();
    return false;
  }
  asio::post(executor_, [self = shared_from_this(), taken = std::move(socket)]() mutable {
    self->adopt(std::move(taken));
  });
  return true;
}

void ServerCore::ask_for_room() {
  if (making_room_.exchange(true)) return;
  asio::post(executor_, [self = shared_from_this()] { self->make_room(); });
}

void ServerCore::adopt(AcceptedSocket accepted) {
  Socket socket(executor_);
  error_code error;
  if (!draining_) socket.assign(accepted.peer().protocol(), accepted.descriptor(), error);
  if (draining_ || error) return forget_one();
  accepted.release();
  auto connection = std::make_shared<ServerConnection>(ByteStream(std::move(socket), make_tls()),
                                                       shared_from_this(), accepted.peer());
  connection->client_place_ = std::move(accepted.place());
  connection->place_ = connections_.insert(connections_.end(), connection);
  connection->start();
  if (!sweep_.is_set()) sweep_.set(timers_.now() + options_.request_timeout);
}

std::unique_ptr<TlsSession> ServerCore::make_tls() const {
  if (!options_.tls) return nullptr;
  return std::make_unique<TlsSession>(*options_.tls->native_handle(), Alpn::http_2);
}

void ServerCore::lost(ServerConnection& connection) {
  if (!connection.has_shaken_hands()) handshake_failed(connection);
  const auto held = std::static_pointer_cast<ServerConnection>(connection.shared_from_this());
  connections_.erase(connection.place_);
  connection.client_place_ = {};
  forget_one();
  if (connections_.empty()) emptied_.notify_all();
}

void ServerCore::handshake_failed(const ServerConnection& connection) {
  probe_.failed_handshake_count.fetch_add(1, std::memory_order_relaxed);
  if (failed_handshakes_) failed_handshakes_->note(connection.peer(), connection.lost_because());
}

void ServerCore::sweep() {
  const SteadyTime now = timers_.now();
  std::vector<std::shared_ptr<ServerConnection>> stuck;
  for (const auto& connection : connections_) {
    if (!connection->end_unfinished(now - options_.request_timeout)) stuck.push_back(connection);
  }
  for (const auto& connection : stuck) {
    connection->close(Error{boost::system::errc::make_error_code(boost::system::errc::timed_out),
                            "a header block did not arrive in time"});
  }
  if (!connections_.empty()) sweep_.set(now + options_.request_timeout / sweeps_per_timeout);
}

void ServerCore::forget_one() noexcept {
  --connection_count_;
  if (sockets_) sockets_->give_back();
}

bool ServerCore::admit_standing(std::size_t others) {
  if (others >= options_.standing_streams_per_connection_max) return false;
  // Clients with one watch each are never locked out by those with many.
  if (others > 0 && standing_count_ >= options_.standing_streams_max) return false;
  ++standing_count_;
  return true;
}

/// Called when a new connection found no room. Looks at some connections and closes the one that
/// has been idle for the longest time. Connections that were looked at move to the end of the list,
/// so that the next call looks at others.
void ServerCore::make_room() {
  making_room_ = false;
  std::shared_ptr<ServerConnection> idle;
  for (std::size_t left = std::min(looked_at_max, connections_.size()); left > 0; --left) {
    const auto& connection = connections_.front();
    const bool is_idle = !connection->is_held();
    if (is_idle && (!idle || connection->quiet_since() < idle->quiet_since())) idle = connection;
    connections_.splice(connections_.end(), connections_, connections_.begin());
  }
  if (idle) idle->make_room();
}

Task<void> ServerCore::drain(SteadyTime deadline) {
  const auto self = shared_from_this();
  const bool has_time = timers_.now() < deadline;
  draining_ = true;
  const std::vector<std::shared_ptr<ServerConnection>> all(connections_.begin(),
                                                           connections_.end());
  for (const auto& connection : all) connection->drain();
  co_await wait_for_the_last(deadline);
  closing_ = true;
  const std::vector<std::shared_ptr<ServerConnection>> left(connections_.begin(),
                                                            connections_.end());
  for (const auto& connection : left) {
    connection->session().for_each_stream([](http2::Stream& stream) {
      static_cast<ServerCall&>(stream).fail({GrpcCode::unavailable, closing_error().detail});
    });
    connection->end(closing_error());
  }
  if (has_time && !connections_.empty()) {
    co_await wait_for_the_last(timers_.now() + Linger::quiet_max_when_draining);
  }
  while (!connections_.empty()) {
    const auto connection = connections_.front();
    connection->close(closing_error());
  }
  sweep_.cancel();
  co_await handlers_.join();
}

Task<void> ServerCore::wait_for_the_last(SteadyTime deadline) {
  Timer limit(timers_, [this] { emptied_.notify_all(); });
  limit.set(deadline);
  while (!connections_.empty() && timers_.now() < deadline) {
    const bool notified = co_await emptied_.wait();
    if (!notified) break;
  }
}

ServerConnection::ServerConnection(ByteStream stream, std::shared_ptr<ServerCore> server,
                                   const asio::ip::tcp::endpoint& peer)
    : Connection(std::move(stream), server->round(), server->timers(), http2::Side::server,
                 session_options(server->options()), limits(server->options())),
      server_(std::move(server)),
      peer_(peer),
      quiet_since_(server_->timers().now()),
      buffers_(server_->buffers(), *this) {
  buffers_.set_stranger(server_->has_checks());
}

http2::StreamPtr ServerConnection::on_request() {
  return new ServerCall(std::static_pointer_cast<ServerConnection>(shared_from_this()));
}

bool ServerConnection::end_unfinished(SteadyTime begun_by) {
  bool headers_are_whole = true;
  session().for_each_stream([&](http2::Stream& stream) {
    headers_are_whole &= static_cast<ServerCall&>(stream).end_if_unfinished(begun_by);
  });
  return headers_are_whole;
}

void ServerConnection::let_go() {
  if (--holding_count_ == 0) quiet_since_ = timers().now();
}

bool ServerConnection::admit_standing() {
  if (!server_->admit_standing(standing_count_)) return false;
  ++standing_count_;
  return true;
}

void ServerConnection::forget_standing() noexcept {
  --standing_count_;
  server_->forget_standing();
}

void ServerConnection::make_room() {
  session().goaway();  // It tells the client which calls were not processed.
  flush();
  close(Error{{}, "an idle connection made room for a new one"});
}

void ServerConnection::Buffers::shed(Excess excess) {
  const bool only_input = excess == Excess::share;
  const auto held = [&] { return only_input ? input_bytes() : held_bytes(); };
  const auto held_by = [&](const ServerCall& call) {
    return only_input ? call.input_bytes() : call.held_bytes();
  };
  const std::size_t target = held() / 2;
  std::vector<ServerCall*> calls;
  owner_.session().for_each_stream([&](http2::Stream& stream) {
    auto& call = static_cast<ServerCall&>(stream);
    if (held_by(call) > 0) calls.push_back(&call);
  });
  // The session visits its streams in the order of their opening, and the sort is stable: of equal
  // calls the oldest goes first.
  std::stable_sort(calls.begin(), calls.end(), [&](const ServerCall* a, const ServerCall* b) {
    return held_by(*a) > held_by(*b);
  });
  for (ServerCall* call : calls) {
    if (held() <= target) return;
    call->give_up();
  }
  if (held() <= target) return;
  // There are too many streams, or most of the memory waits for the socket. The connection is
  // closed later, because the caller may be inside the session.
  write_off();
  asio::post(owner_.round().executor(), [connection = owner_.shared_from_this()] {
    connection->close(
        Error{boost::system::errc::make_error_code(boost::system::errc::no_buffer_space),
              "the connection holds too much memory"});
  });
}

void ServerConnection::on_lost() {
  server_->lost(*this);
}

}  // namespace concerto::net::detail
