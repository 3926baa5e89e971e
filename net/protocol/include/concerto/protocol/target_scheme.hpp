#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/protocol/host_port.hpp>
#include <concerto/protocol/target_url.hpp>
#include <concerto/transport/address_memory.hpp>
#include <concerto/transport/address_source.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/target_guard.hpp>

namespace concerto::net {

class EtcdClients;

/// The objects of the shard that discovery uses. All of them must outlive what uses them.
struct DiscoveryShard {
  Executor executor;
  Timers& timers;
  RandomSource& random;
  HostResolver& resolver;
  Observer& observer;
  const TargetGuard* targets = nullptr;  ///< which targets may be called; null: all
};

/// More addresses of one target than this are not used (as in go-zero's resolvers), and a target
/// that names more members of an etcd is refused: each has a channel and look-ups of its own.
inline constexpr std::size_t target_addresses_max = 32;

/// What a channel connects to, as far as it is known without the network.
struct Target {
  TargetUrl url;                ///< what was read; without a scheme for a plain `host:port`
  std::vector<HostPort> hosts;  ///< of the service, or of the registry that knows the service
  std::string key;        ///< the service's name in a registry; empty where `hosts` are its own
  std::string authority;  ///< for the calls' `:authority`; empty: the socket address
};

/// The addresses of one target on one shard. Closed before destruction, and after the channels that
/// listen.
class CONCERTO_EXPORT TargetAddresses : public AddressSource {
 public:
  /// Ends what runs on behalf of the addresses.
  virtual Task<void> close() = 0;
  /// There is another policy about targets. Publishes what it allows.
  virtual void targets_changed() {}
};

/// What the addresses of a target may use. Everything referenced must outlive them.
struct TargetUses {
  const DiscoveryShard& shard;
  EtcdClients& etcd;                      ///< the shard's connections to registries in etcd
  std::shared_ptr<AddressMemory> memory;  ///< shared by shards; may be null
};

/// A scheme of targets: how the text of a target becomes the source of its addresses.
struct TargetScheme {
  std::string name;  ///< in lower case, without `://`
  /// `name:endpoint` is taken too, as gRPC does for its own resolvers; the endpoint is the URL's
  /// path then. A number behind the colon is the port of a host that has the scheme's name.
  bool stands_bare = false;

  /// Reads a target without the network, on any thread. `text` is for errors (bad_target). `url` of
  /// the result need not be set.
  std::function<Result<Target>(std::string_view text, const TargetUrl& url)> parse;

  /// Makes the source of the addresses, on the shard. Where this is empty, `hosts` are looked up in
  /// the DNS again and again.
  std::function<Result<std::unique_ptr<TargetAddresses>>(const Target& target,
                                                         const TargetUses& uses)>
      open;
};

/// The error "bad target 'text': reason", with no password in it. The code is invalid_request.
CONCERTO_EXPORT Error bad_target(std::string_view text, std::string_view reason);

/// Why a scheme that is in no table cannot be used: it is the protocol's and not in this version
/// (not_supported), or nobody knows it (invalid_request).
CONCERTO_EXPORT Error scheme_error(std::string_view scheme);

/// The schemes that targets may have. Does not change while channels use it.
class CONCERTO_EXPORT TargetSchemes {
 public:
  /// Those of the protocol: direct, dns, discov, etcd, passthrough. A new one is a row there.
  static TargetSchemes standard();

  /// Adds a scheme, or replaces the one of the same name.
  void add(TargetScheme scheme);
  /// Null for a name that is not in the table. Valid until the next `add`.
  const TargetScheme* find(std::string_view name) const noexcept;

  /// Reads a target: a plain `host:port`, or what its scheme says. On any thread. Errors:
  /// invalid_request, not_supported.
  [[nodiscard]] Result<Target> parse(std::string_view text) const;
  /// The source of the addresses of a target that `parse` has read.
  [[nodiscard]] Result<std::unique_ptr<TargetAddresses>> open(const Target& target,
                                                              const TargetUses& uses) const;

 private:
  bool stands_bare(std::string_view scheme) const noexcept;

  std::vector<TargetScheme> schemes_;
};

}  // namespace concerto::net
