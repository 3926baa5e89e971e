#include <utility>

#include "discovery/etcd_addresses.hpp"
#include "discovery/schemes/schemes.hpp"

namespace concerto::net {
namespace {

Result<Target> read(std::string_view text, const TargetUrl& url) {
  const std::string_view key = without_slashes(url.path);
  if (key.empty()) return bad_target(text, "no key after the hosts");
  Target target;
  CONCERTO_TRY(target.hosts, parse_host_ports(url.host));
  if (target.hosts.size() > target_addresses_max) {
    return bad_target(text, "more than " + std::to_string(target_addresses_max) + " hosts");
  }
  target.key = key;
  if (const auto account = url.account(); !account) return bad_target(text, account.error().detail);
  return target;
}

Result<std::unique_ptr<TargetAddresses>> open(const Target& target, const TargetUses& uses) {
  CONCERTO_TRY(const auto account, target.url.account());
  const std::string& hosts = target.url.host;
  CONCERTO_TRY(auto client, uses.etcd.acquire(hosts, account.user, account.password));
  return std::unique_ptr<TargetAddresses>(std::make_unique<EtcdAddresses>(
      uses.shard, uses.etcd, std::move(client), hosts, target.key, uses.memory));
}

}  // namespace

TargetScheme etcd_scheme(std::string_view name) {
  TargetScheme scheme;
  scheme.name = name;
  scheme.parse = read;
  scheme.open = open;
  return scheme;
}

}  // namespace concerto::net
