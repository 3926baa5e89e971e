#pragma once

#include <string>

#include "http2/connection.hpp"

namespace concerto::net::detail {

class Subchannel;

/// A channel's connection to one address. The subchannel that owns it hears of its changes until
/// it disowns it.
class ClientConnection final : public http2::Connection {
 public:
  ClientConnection(http2::Socket socket, Subchannel& owner, std::string authority,
                   std::chrono::milliseconds keepalive_interval);

  const std::string& authority() const noexcept { return authority_; }

  /// A call can start now.
  bool has_room() const noexcept;

  void disown() noexcept { owner_ = nullptr; }
  /// As the peer has left it.
  std::chrono::milliseconds keepalive_interval() const noexcept { return keepalive_interval_; }

 private:
  http2::StreamPtr on_request() override;
  void on_ready() override;
  void on_changed_settings() override;
  void on_lost() override;
  void on_drain() override;
  void on_stream_closed() override;

  Subchannel* owner_;
  const std::string authority_;
  const std::size_t streams_max_;
};

}  // namespace concerto::net::detail
