#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <concerto/transport/address_memory.hpp>

#include "etcd_client.hpp"
#include "etcd_prefix_watch.hpp"
#include "host_addresses.hpp"

namespace concerto::net {

/// The addresses of a service that is registered in etcd in go-zero's layout: the values of the
/// keys below `<key>/`, each of them `host:port`. At most 32 are used, chosen at random.
class EtcdAddresses final : public HostAddresses {
 public:
  /// `clients` must outlive this object. `hosts` are those of `client`; `memory` may be null.
  EtcdAddresses(const DiscoveryShard& shard, EtcdClients& clients,
                std::shared_ptr<EtcdClient> client, const std::string& hosts, std::string key,
                std::shared_ptr<AddressMemory> memory);

  void targets_changed() override;
  Task<void> close() override;

 private:
  void take_values(const EtcdPrefixWatch::Values& values);
  EtcdPrefixWatch::Values use(const EtcdPrefixWatch::Values& values);
  void note_nonsense(const std::string& key, const std::string& value);
  void take_failure(const Error& error);
  void forget_refused();

  DiscoveryShard shard_;
  EtcdClients& clients_;
  std::shared_ptr<EtcdClient> client_;
  std::string key_;
  std::string service_;  ///< the service's name in the memory
  std::shared_ptr<AddressMemory> memory_;
  std::uint64_t salt_;              ///< of the random choice
  std::set<std::string> reported_;  ///< malformed values that were logged
  EtcdPrefixWatch watch_;
};

}  // namespace concerto::net
