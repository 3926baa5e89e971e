#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <boost/intrusive/list.hpp>

#include <concerto/transport/grpc_channel.hpp>

#include "grpc/client_call.hpp"
#include "grpc/subchannel.hpp"
#include "http2/send_round.hpp"

namespace concerto::net::detail {

/// The inside of a GrpcChannel. The channel's calls share it, because they may be resumed after the
/// channel was destroyed.
class ChannelCore : public std::enable_shared_from_this<ChannelCore> {
 public:
  ChannelCore(Executor executor, Timers& timers, RandomSource& random, AddressSource& addresses,
              GrpcChannelOptions options);
  ~ChannelCore();

  const Executor& executor() const noexcept { return round_->executor(); }
  Timers& timers() noexcept { return timers_; }
  RandomSource& random() noexcept { return random_; }
  const GrpcChannelOptions& options() const noexcept { return options_; }
  void set_tls(std::shared_ptr<asio::ssl::context> tls);
  http2::SendRound& round() noexcept { return *round_; }

  /// Every call is counted from begin to end.
  void begin(ClientCall& call);
  void end(ClientCall& call);
  /// Opens the call on a connection, queues it until a connection has room, or fails it.
  void dispatch(ClientCall& call);
  /// Looks at the waiting calls again: a connection may have room now, or none may ever have.
  void serve_waiting();
  /// Connecting to an address failed.
  void addresses_failed() { addresses_.refresh(); }

  void close();

  std::size_t connection_count() const noexcept;
  std::size_t call_count() const noexcept { return call_count_; }

 private:
  /// A connection, or the status that the call fails with. With neither the call waits.
  struct Pick {
    ChannelConnection* connection = nullptr;
    std::optional<GrpcStatus> failure;
  };

  Pick pick();
  Pick pick_without_addresses();
  void update_addresses();
  void stop_waiting(ClientCall& call);

  using WaitingList = boost::intrusive::list<ClientCall, boost::intrusive::base_hook<WaitingHook>>;

  Timers& timers_;
  RandomSource& random_;
  AddressSource& addresses_;
  GrpcChannelOptions options_;
  const std::shared_ptr<http2::SendRound> round_;
  std::optional<AddressSource::Listener> listener_;
  std::vector<std::unique_ptr<Subchannel>> subchannels_;
  /// Their addresses are not published any more.
  std::vector<std::unique_ptr<Subchannel>> retired_;
  std::size_t next_ = 0;  ///< index of the subchannel whose turn it is
  WaitingList waiting_;
  std::size_t call_count_ = 0;
  bool serving_ = false;
  bool closed_ = false;
};

}  // namespace concerto::net::detail
