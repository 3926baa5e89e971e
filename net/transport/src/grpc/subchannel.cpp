#include "grpc/subchannel.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <boost/asio/ssl/context.hpp>

#include "grpc/channel_core.hpp"
#include "tls_session.hpp"

namespace concerto::net::detail {
namespace {

/// As in gRPC, each failure multiplies the backoff by 1.6.
constexpr unsigned growth_numerator = 8;
constexpr unsigned growth_denominator = 5;
/// The backoff varies by up to a fifth in both directions, in this many steps.
constexpr std::int64_t jitter_steps = 1024;

std::string text_of(const Address& address) {
  std::ostringstream text;
  text << address;
  return text.str();
}

Error no_socket_left(const SocketBudget& budget) {
  return Error{
      boost::system::errc::make_error_code(boost::system::errc::too_many_files_open),
      "all " + std::to_string(budget.sockets_max()) + " sockets for calls to services are in use"};
}

Error timed_out() {
  return Error{boost::system::errc::make_error_code(boost::system::errc::timed_out),
               "connection timed out"};
}

}  // namespace

/// May outlive its subchannel: it lives until the socket's operation has ended.
struct Subchannel::Attempt {
  explicit Attempt(Subchannel& subchannel, Executor executor)
      : owner(&subchannel), socket(std::move(executor)) {}
  Subchannel* owner;
  Socket socket;
  SocketPlace place;
};

Subchannel::Subchannel(ChannelCore& channel, const Address& address)
    : channel_(channel),
      address_(address),
      connect_timer_(channel.timers(), [this] { connect_failed(timed_out()); }),
      keepalive_interval_(channel.options().keepalive_interval) {}

Subchannel::~Subchannel() {
  abandon_attempt();
  const auto connections = std::exchange(connections_, {});
  for (const auto& connection : connections) {
    connection->disown();
    connection->close(
        Error{boost::system::errc::make_error_code(boost::system::errc::operation_canceled),
              "channel closed"});
  }
}

ChannelConnection* Subchannel::usable() {
  if (retired_) return nullptr;
  bool making = attempt_ != nullptr;
  std::size_t doubted = 0;
  for (const auto& connection : connections_) {
    if (connection->has_room()) return connection.get();
    making = making || (connection->is_open() && !connection->is_ready());
    doubted += connection->is_doubted() ? 1 : 0;
  }
  // Connections that may be dead do not count, up to the same number again.
  const std::size_t most = channel_.options().connections_per_address_max;
  const bool may_connect = !making && channel_.timers().now() >= retry_at_ &&
                           connections_.size() < most + std::min(doubted, most);
  if (may_connect) connect();
  return nullptr;
}

bool Subchannel::may_serve() const noexcept {
  if (retired_) return false;
  if (attempt_) return true;
  // A full connection counts, because its streams will end. A draining one takes no more calls. One
  // that may be dead counts unless making a new connection failed.
  return std::any_of(connections_.begin(), connections_.end(), [this](const auto& connection) {
    return connection->is_open() && !connection->is_draining() &&
           (failures_ == 0 || !connection->is_doubted());
  });
}

void Subchannel::connect() {
  SocketPlace place;
  const auto& budget = channel_.options().sockets;
  if (!place.take(budget)) return connect_failed(no_socket_left(*budget));
  attempt_ = std::make_shared<Attempt>(*this, channel_.executor());
  attempt_->place = std::move(place);
  connect_timer_.set(channel_.timers().now() + channel_.options().connect_timeout);
  Attempt& attempt = *attempt_;
  attempt.socket.async_connect(address_, [kept = attempt_](const error_code& error) {
    if (!kept->owner) return;
    if (error) return kept->owner->connect_failed(Error{error, error.message()});
    kept->owner->connected(std::move(kept->socket), std::move(kept->place));
  });
}

void Subchannel::connected(Socket socket, SocketPlace place) {
  attempt_.reset();
  connect_timer_.cancel();
  const GrpcChannelOptions& options = channel_.options();
  ByteStream stream(std::move(socket));
  if (options.tls) {
    const std::string host =
        options.tls_host.empty() ? address_.address().to_string() : options.tls_host;
    stream.start_tls(
        std::make_unique<TlsSession>(*options.tls->native_handle(), Alpn::http_2, host));
  }
  auto connection = std::make_shared<ChannelConnection>(
      std::move(stream), *this, options.authority.empty() ? text_of(address_) : options.authority,
      keepalive_interval_);
  connection->keep(std::move(place));
  connections_.push_back(connection);
  connection->start();
}

void Subchannel::connect_failed(Error error) {
  abandon_attempt();
  last_error_ = std::move(error);
  last_error_.detail = "connecting to " + text_of(address_) + ": " + last_error_.detail;

  const auto& options = channel_.options();
  auto delay = std::chrono::nanoseconds(options.backoff_min);
  for (unsigned i = 0; i < failures_ && delay < options.backoff_max; ++i) {
    delay = delay * growth_numerator / growth_denominator;
  }
  ++failures_;
  delay = std::min<std::chrono::nanoseconds>(delay, options.backoff_max);
  const auto step = static_cast<std::int64_t>(channel_.random().next() % jitter_steps);
  delay = delay * 4 / 5 + delay * 2 / 5 * step / jitter_steps;
  retry_at_ = channel_.timers().now() + delay;
  channel_.addresses_failed();
  channel_.serve_waiting();
}

void Subchannel::retire() {
  retired_ = true;
  abandon_attempt();
  for (const auto& connection : connections_) connection->drain();
}

void Subchannel::abandon_attempt() {
  connect_timer_.cancel();
  const auto attempt = std::exchange(attempt_, nullptr);
  if (!attempt) return;
  attempt->owner = nullptr;
  error_code ignored;
  attempt->socket.close(ignored);
}

void Subchannel::on_ready() {
  failures_ = 0;
  last_error_ = {};
  retry_at_ = SteadyTime::min();
  channel_.serve_waiting();
}

void Subchannel::on_drain(ChannelConnection& connection) {
  keepalive_interval_ = std::max(keepalive_interval_, connection.keepalive_interval());
  channel_.serve_waiting();
}

void Subchannel::on_lost(ChannelConnection& connection) {
  const auto place = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& held) { return held.get() == &connection; });
  const std::shared_ptr<ChannelConnection> lost = *place;
  connections_.erase(place);
  if (!connection.is_ready()) return connect_failed(connection.lost_because());
  channel_.serve_waiting();
}

}  // namespace concerto::net::detail
