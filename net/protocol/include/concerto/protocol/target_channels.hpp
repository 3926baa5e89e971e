#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/protocol/grpc_url.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/transport/address_memory.hpp>
#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/host_resolver.hpp>

namespace concerto::net {

class EtcdClients;

/// What discovery uses of its shard. Everything referenced must outlive it.
struct DiscoveryShard {
  Executor executor;
  Timers& timers;
  RandomSource& random;
  HostResolver& resolver;
  Observer& observer;
};

struct TargetChannelsOptions {
  Driver driver = Driver::standard;
  GrpcChannelOptions channel;  ///< of every channel; the authority follows from the target
  std::optional<EtcdAccess> etcd_access;
  /// Shared by the shards of a process; without it each shard knows what it has read itself.
  std::shared_ptr<AddressMemory> memory;
  std::size_t channels_max = 10'000;  ///< then the longest unused one without calls goes
  std::chrono::minutes idle_timeout{30};
};

/// The channels of one shard to branch services, one per target.
///
/// Targets: `host:port`, `direct:///h1:p1,h2:p2` (at most 32), `dns:///host:port`,
/// `passthrough:///host:port`, `etcd://hosts/key` and `discov://hosts/key`. Host names are looked
/// up again at intervals and after failed connects; all their addresses are used in turn. Keys of
/// etcd are watched, and the last known addresses are used while etcd is away. Everything on the
/// shard's thread. Close before destruction.
class TargetChannels {
 public:
  TargetChannels(const DiscoveryShard& shard, TargetChannelsOptions options);
  ~TargetChannels();
  TargetChannels(const TargetChannels&) = delete;
  TargetChannels& operator=(const TargetChannels&) = delete;

  /// parse_grpc_url of the configured driver.
  [[nodiscard]] Result<GrpcUrl> split(std::string_view url) const;

  /// The channel to a target, made at its first use. The pointer is valid until the next call of
  /// this object, and for as long as a call on that channel runs. Errors: a malformed target
  /// (invalid_request), a scheme that is not in this version (not_supported), too many targets
  /// with running calls (overloaded).
  [[nodiscard]] Result<GrpcChannel*> channel(std::string_view target);

  std::size_t channel_count() const noexcept;

  /// Ends all calls and look-ups. No channel can be had afterwards.
  Task<void> close();

  /// The connections to etcd, shared by all that uses etcd on this shard.
  EtcdClients& etcd_clients() noexcept;
  const DiscoveryShard& shard() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
