#include "etcd_addresses.hpp"

#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace concerto::net {
namespace {

constexpr std::size_t reported_max = 100;

/// Mixes the hash of a value with the salt. So each process prefers other addresses, but the same
/// ones as long as it runs: if one address changes, the others stay.
std::uint64_t rank_of(const std::string& value, std::uint64_t salt) {
  std::uint64_t mixed = std::hash<std::string>{}(value) ^ salt;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

}  // namespace

EtcdAddresses::EtcdAddresses(const DiscoveryShard& shard, EtcdClients& clients,
                             std::shared_ptr<EtcdClient> client, const std::string& hosts,
                             std::string key, std::shared_ptr<AddressMemory> memory)
    : HostAddresses(shard, grpc_scheme, "the addresses of '" + key + "' in etcd are"),
      shard_(shard),
      clients_(clients),
      client_(std::move(client)),
      key_(std::move(key)),
      service_(hosts + "/" + key_),
      memory_(std::move(memory)),
      salt_(shard.random.next()),
      watch_(shard, *client_, key_ + "/",
             {[this](const EtcdPrefixWatch::Values& values) { take_values(values); },
              [this](const Error& error) { take_failure(error); }}) {
  watch_.start();
}

Task<void> EtcdAddresses::close() {
  co_await watch_.close();
  co_await HostAddresses::close();
  co_await clients_.release(std::move(client_));
}

void EtcdAddresses::take_values(const EtcdPrefixWatch::Values& values) {
  const EtcdPrefixWatch::Values used = use(values);
  if (memory_) memory_->remember(service_, used);
}

/// Chooses the values to use, publishes their addresses, and returns the chosen values.
EtcdPrefixWatch::Values EtcdAddresses::use(const EtcdPrefixWatch::Values& values) {
  struct Choice {
    const EtcdPrefixWatch::Values::value_type* entry;
    HostPort host;
  };
  std::map<std::uint64_t, Choice> chosen;  // The key is the rank; equal values have equal ranks.
  for (const auto& entry : values) {
    const auto& [key, value] = entry;
    auto host = parse_host_port(value);
    if (!host) {
      note_nonsense(key, value);
      continue;
    }
    chosen.try_emplace(rank_of(value, salt_), Choice{&entry, std::move(*host)});
    if (chosen.size() > target_addresses_max) chosen.erase(std::prev(chosen.end()));
  }
  EtcdPrefixWatch::Values used;
  if (chosen.empty()) {
    set_unavailable(Error{make_unsent_error_code(GrpcCode::unavailable),
                          "no address of '" + key_ + "' is registered in etcd"});
    return used;
  }
  std::vector<HostPort> hosts;
  for (auto& [rank, choice] : chosen) {
    hosts.push_back(std::move(choice.host));
    used.insert(*choice.entry);
  }
  set_hosts(std::move(hosts));
  return used;
}

/// A client chooses the key, and may choose one whose value is a secret.
void EtcdAddresses::note_nonsense(const std::string& key, const std::string& value) {
  if (reported_.size() >= reported_max || !reported_.insert(value).second) return;
  shard_.observer.log(LogLevel::warn, {},
                      "etcd: the value of '" + key + "' is no address host:port");
}

void EtcdAddresses::targets_changed() {
  HostAddresses::targets_changed();
  if (client_->is_refused()) forget_refused();
}

/// What a registry said does not count any more if nobody may ask it.
void EtcdAddresses::forget_refused() {
  set_unavailable(
      Error{make_unsent_error_code(GrpcCode::unavailable),
            "etcd, which knows '" + key_ + "', is refused by TargetAllow or TargetDeny"});
}

void EtcdAddresses::take_failure(const Error& error) {
  if (client_->is_refused()) return forget_refused();
  if (has_hosts()) return;  // The last known addresses are used while etcd is away.
  if (const auto known = memory_ ? memory_->recall(service_) : std::nullopt) {
    use(*known);
    if (has_hosts()) return;
  }
  set_unavailable(Error{make_unsent_error_code(GrpcCode::unavailable),
                        "etcd, which knows '" + key_ + "': " + error.detail});
}

}  // namespace concerto::net
