#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/protocol/grpc_url.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/target_scheme.hpp>
#include <concerto/transport/address_memory.hpp>
#include <concerto/transport/grpc_channel.hpp>

namespace concerto::net {

struct CONCERTO_EXPORT TargetChannelsOptions {
  Driver driver = Driver::standard;
  TargetSchemes schemes = TargetSchemes::standard();
  /// For every channel; the authority follows from the target, and so does the name that a
  /// certificate must have, unless `tls_host` is set. `tls` is used for the targets that
  /// `tls_targets` names, and for no others.
  GrpcChannelOptions channel;
  /// Names of hosts, and keys of services in etcd: `b.org`, `.b.org` for all below it, `*` for all.
  std::vector<std::string> tls_targets;
  std::optional<EtcdAccess> etcd_access;
  /// Shared by the shards of a process. If it is null, each shard knows only the addresses that it
  /// has read itself.
  std::shared_ptr<AddressMemory> memory;
  std::size_t channels_max = 10'000;  ///< beyond it, the longest unused channel is closed
  std::chrono::minutes idle_timeout{30};
};

/// The channels of one shard to services, one for each target.
///
/// Targets: `host:port`, and what the schemes of the options take: `direct:///h1:p1,h2:p2` (at most
/// 32), `dns:///host:port`, `passthrough:///host:port`, `etcd://hosts/key` and
/// `discov://hosts/key`. Host names are looked up again at intervals and after failed connects; all
/// addresses of a name are used in turn. Keys of etcd are watched, and while etcd does not answer,
/// the last known addresses are used. Use the object on the shard's thread alone, except `split`,
/// `parse` and `check`, and close it before it is destroyed.
class CONCERTO_EXPORT TargetChannels {
 public:
  TargetChannels(const DiscoveryShard& shard, TargetChannelsOptions options);
  ~TargetChannels();
  TargetChannels(const TargetChannels&) = delete;
  TargetChannels& operator=(const TargetChannels&) = delete;

  /// parse_grpc_url of the configured driver.
  [[nodiscard]] Result<GrpcUrl> split(std::string_view url) const;

  /// What a target means, read without the network. Errors: invalid_request, not_supported.
  [[nodiscard]] Result<Target> parse(std::string_view target) const;

  /// Whether `target` may be called, as far as its text tells. The addresses of its names are
  /// checked when they are known. On any thread.
  [[nodiscard]] Result<> check(const Target& target) const;
  [[nodiscard]] Result<> check(const TargetPlace& place) const;

  /// Applies another policy about targets to the addresses in use.
  void targets_changed();

  /// The channel to a target. The first use of the target makes the channel. The pointer is valid
  /// until the next call of a function of this object, and for as long as a call on the channel
  /// runs. Errors: invalid_request (a malformed target), not_supported (a scheme that is not in
  /// this version), overloaded (too many targets with running calls).
  [[nodiscard]] Result<GrpcChannel*> channel(std::string_view target);

  /// Replaces the contexts of new connections: to targets that are called over TLS, and to the etcd
  /// of the options (see EtcdClients::set_tls).
  void set_tls(std::shared_ptr<boost::asio::ssl::context> targets,
               std::shared_ptr<boost::asio::ssl::context> etcd);

  std::size_t channel_count() const noexcept;

  /// Ends all calls and look-ups. Afterwards `channel` returns errors.
  Task<void> close();

  /// The connections to etcd. All users of etcd on this shard share them.
  EtcdClients& etcd_clients() noexcept;
  const DiscoveryShard& shard() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
