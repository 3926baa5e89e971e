#include "grpc/channel_connection.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

#include "grpc/channel_core.hpp"
#include "grpc/subchannel.hpp"

namespace concerto::net::detail {
namespace {

/// gRPC servers end a connection that sends more than two early PINGs between two answers. If calls
/// keep timing out although the PINGs are answered, the connection is replaced by a new one.
constexpr unsigned probes_max = 2;

http2::SessionOptions session_options(const GrpcChannelOptions& options) {
  http2::SessionOptions result;
  result.streams_max = 0;
  result.header_bytes_max = static_cast<std::uint32_t>(options.header_bytes_max);
  result.stream_window_bytes = options.stream_window_bytes;
  result.connection_window_bytes = options.connection_window_bytes;
  return result;
}

http2::ConnectionLimits limits(const GrpcChannelOptions& options,
                               std::chrono::milliseconds keepalive_interval) {
  http2::ConnectionLimits result;
  result.handshake_timeout = options.connect_timeout;
  result.keepalive_interval = keepalive_interval;
  result.keepalive_timeout = options.keepalive_timeout;
  result.keepalive_without_streams = false;
  return result;
}

}  // namespace

ChannelConnection::ChannelConnection(ByteStream stream, Subchannel& owner, std::string authority,
                                     std::chrono::milliseconds keepalive_interval)
    : Connection(std::move(stream), owner.channel().round(), owner.channel().timers(),
                 http2::Side::client, session_options(owner.channel().options()),
                 limits(owner.channel().options(), keepalive_interval)),
      owner_(&owner),
      authority_(std::move(authority)),
      streams_max_(owner.channel().options().streams_per_connection_max) {}

bool ChannelConnection::has_room() const noexcept {
  return is_open() && is_ready() && !is_draining() && !is_doubted() && session().can_request() &&
         session().stream_count() < std::min(streams_max_, session().peer_streams_max());
}

void ChannelConnection::doubt(SteadyTime since) {
  if (!is_open() || !is_ready() || is_draining() || is_doubted() || last_read() > since) return;
  if (probes_ == probes_max) return drain();
  ++probes_;
  doubted_ = true;
  probe();
}

http2::StreamPtr ChannelConnection::on_request() {
  constexpr bool a_client_takes_requests = false;
  CONCERTO_ASSERT(a_client_takes_requests);
  return nullptr;
}

void ChannelConnection::on_ready() {
  if (owner_) owner_->on_ready();
}

void ChannelConnection::on_changed_settings() {
  if (owner_) owner_->channel().serve_waiting();
}

void ChannelConnection::on_lost() {
  place_ = {};
  if (owner_) owner_->on_lost(*this);
}

void ChannelConnection::on_ping_ack() {
  Connection::on_ping_ack();
  doubted_ = false;
  if (owner_) owner_->channel().serve_waiting();
}

void ChannelConnection::on_drain() {
  if (owner_) owner_->on_drain(*this);
}

void ChannelConnection::on_stream_closed() {
  Connection::on_stream_closed();
  if (owner_ && is_open()) owner_->channel().serve_waiting();
}

}  // namespace concerto::net::detail
