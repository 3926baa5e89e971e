#pragma once

#include <memory>
#include <string>
#include <utility>

#include <concerto/transport/socket_budget.hpp>

#include "http2/connection.hpp"

namespace concerto::net::detail {

class Subchannel;

/// A channel's connection to one address. It tells its subchannel about changes until the
/// subchannel disowns it.
class ChannelConnection final : public http2::Connection {
 public:
  ChannelConnection(ByteStream stream, Subchannel& owner, std::string authority,
                    std::chrono::milliseconds keepalive_interval);

  const std::string& authority() const noexcept { return authority_; }

  /// True if a call can start now.
  bool has_room() const noexcept;

  /// A call that was sent at `since` got no answer in time. If nothing else has arrived since then,
  /// the connection may be dead even if the peer lives. It takes no calls until something arrives.
  void doubt(SteadyTime since);
  bool is_doubted() const noexcept { return doubted_ && is_probed(); }
  /// A call was answered, with any status.
  void note_answer() noexcept { probes_ = 0; }

  void disown() noexcept { owner_ = nullptr; }
  /// Keeps the place in the socket budget until the connection is lost.
  void keep(SocketPlace place) noexcept { place_ = std::move(place); }
  /// The interval, which grows when the peer complains about PINGs.
  std::chrono::milliseconds keepalive_interval() const noexcept { return keepalive_interval_; }

 private:
  http2::StreamPtr on_request() override;
  void on_ready() override;
  void on_changed_settings() override;
  void on_lost() override;
  void on_ping_ack() override;
  void on_drain() override;
  void on_stream_closed() override;

  Subchannel* owner_;
  const std::string authority_;
  const std::size_t streams_max_;
  bool doubted_ = false;
  unsigned probes_ = 0;  ///< since the last answer to a call
  SocketPlace place_;
};

}  // namespace concerto::net::detail
