#pragma once

#include <memory>
#include <string>
#include <vector>

#include <concerto/base/timers.hpp>
#include <concerto/transport/address_source.hpp>

#include "grpc/channel_connection.hpp"

namespace concerto::net::detail {

class ChannelCore;

/// The connections of a channel to one address: opened on demand, more when all are full, with
/// backoff after a failure.
class Subchannel {
 public:
  Subchannel(ChannelCore& channel, const Address& address);
  ~Subchannel();
  Subchannel(const Subchannel&) = delete;
  Subchannel& operator=(const Subchannel&) = delete;

  const Address& address() const noexcept { return address_; }
  ChannelCore& channel() noexcept { return channel_; }

  /// A connection that takes a call now, or null; then one more is opened if that may help.
  ChannelConnection* usable();
  /// A call that waits may be served by this address soon.
  bool may_serve() const noexcept;
  /// Why the last attempt to connect failed.
  const Error& last_error() const noexcept { return last_error_; }
  std::size_t connection_count() const noexcept { return connections_.size(); }

  /// Takes no more calls; running ones finish.
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
  std::shared_ptr<Attempt> attempt_;  ///< a TCP connection being made
  Timer connect_timer_;
  std::chrono::milliseconds keepalive_interval_;  ///< grows when the peer complains
  Error last_error_;
  SteadyTime retry_at_ = SteadyTime::min();
  unsigned failures_ = 0;
  bool retired_ = false;
};

}  // namespace concerto::net::detail
