#pragma once

#include <memory>
#include <string>
#include <vector>

#include <concerto/base/timers.hpp>
#include <concerto/transport/address_source.hpp>

#include "grpc/channel_connection.hpp"

namespace concerto::net::detail {

class ChannelCore;

/// The connections of a channel to one address. They are opened on demand, and one more is opened
/// when all are full. After a failure the next attempt waits for its backoff.
class Subchannel {
 public:
  Subchannel(ChannelCore& channel, const Address& address);
  ~Subchannel();
  Subchannel(const Subchannel&) = delete;
  Subchannel& operator=(const Subchannel&) = delete;

  const Address& address() const noexcept { return address_; }
  ChannelCore& channel() noexcept { return channel_; }

  /// A connection that takes a call now, or null. If null, one more connection is opened where the
  /// limits allow it.
  ChannelConnection* usable();
  /// True if this address may soon serve a waiting call.
  bool may_serve() const noexcept;
  /// Why the last attempt to connect failed.
  const Error& last_error() const noexcept { return last_error_; }
  std::size_t connection_count() const noexcept { return connections_.size(); }

  /// Takes no more calls; running calls go on.
  void retire();
  bool is_unused() const noexcept { return !attempt_ && connections_.empty(); }

  void on_ready();
  void on_drain(ChannelConnection& connection);
  void on_lost(ChannelConnection& connection);

 private:
  struct Attempt;

  void connect();
  void connected(Socket socket, SocketPlace place);
  void connect_failed(Error error);
  void abandon_attempt();

  ChannelCore& channel_;
  const Address address_;
  std::vector<std::shared_ptr<ChannelConnection>> connections_;
  std::shared_ptr<Attempt> attempt_;  ///< the TCP connection that is being made
  Timer connect_timer_;
  std::chrono::milliseconds keepalive_interval_;  ///< grows when the peer complains about PINGs
  Error last_error_;
  SteadyTime retry_at_ = SteadyTime::min();
  unsigned failures_ = 0;
  bool retired_ = false;
};

}  // namespace concerto::net::detail
