#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/protocol/target_channels.hpp>

#include "etcd_client.hpp"
#include "target_tls.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::minutes sweep_interval{1};

struct TargetHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view target) const noexcept {
    return std::hash<std::string_view>{}(target);
  }
};

/// A channel with the source of its addresses, which has to outlive the channel.
struct Entry {
  std::unique_ptr<TargetAddresses> addresses;
  std::unique_ptr<GrpcChannel> channel;
  SteadyTime used_at;
  bool uses_tls = false;

  bool idle() const { return channel->call_count() == 0; }
};

}  // namespace

class TargetChannels::Impl {
 public:
  Impl(const DiscoveryShard& shard, TargetChannelsOptions options)
      : shard_(shard),
        options_(std::move(options)),
        clients_(shard, options_.etcd_access),
        retiring_(shard.executor) {}

  Result<GrpcChannel*> channel(std::string_view target);
  void set_tls(std::shared_ptr<asio::ssl::context> targets,
               std::shared_ptr<asio::ssl::context> etcd);
  Task<void> close();
  void targets_changed();

  const DiscoveryShard& shard() const noexcept { return shard_; }
  Driver driver() const noexcept { return options_.driver; }
  const TargetSchemes& schemes() const noexcept { return options_.schemes; }
  EtcdClients& clients() noexcept { return clients_; }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Entries = std::unordered_map<std::string, Entry, TargetHash, std::equal_to<>>;

  Result<> make_room();
  void retire_unused();
  Entries::iterator longest_idle();
  bool sockets_are_full() const {
    return options_.channel.sockets && options_.channel.sockets->is_full();
  }
  void retire(Entries::iterator entry);
  static Task<void> end(Entry entry);

  DiscoveryShard shard_;
  TargetChannelsOptions options_;
  EtcdClients clients_;
  Entries entries_;
  SteadyTime next_sweep_;
  TaskGroup retiring_;  ///< joined but never cancelled, because its tasks close what they own
};

Result<GrpcChannel*> TargetChannels::Impl::channel(std::string_view target) {
  const SteadyTime now = shard_.timers.now();
  if (const auto known = entries_.find(target); known != entries_.end()) {
    known->second.used_at = now;
    return known->second.channel.get();
  }
  if (retiring_.closing()) return make_error(Errc::shutting_down, "the process stops");
  CONCERTO_TRY(const Target parsed, options_.schemes.parse(target));
  CONCERTO_CHECK(make_room());

  GrpcChannelOptions options = options_.channel;
  options.authority = parsed.authority;
  if (uses_tls(parsed, options_.tls_targets)) {
    if (options.tls_host.empty()) options.tls_host = tls_host(parsed);
  } else {
    options.tls = nullptr;
  }
  Entry entry;
  const TargetUses uses{shard_, clients_, options_.memory};
  CONCERTO_TRY(entry.addresses, options_.schemes.open(parsed, uses));
  entry.uses_tls = options.tls != nullptr;
  entry.channel = std::make_unique<GrpcChannel>(shard_.executor, shard_.timers, shard_.random,
                                                *entry.addresses, std::move(options));
  entry.used_at = now;
  const auto added = entries_.emplace(std::string(target), std::move(entry)).first;
  return added->second.channel.get();
}

void TargetChannels::Impl::set_tls(std::shared_ptr<asio::ssl::context> targets,
                                   std::shared_ptr<asio::ssl::context> etcd) {
  options_.channel.tls = std::move(targets);
  for (const auto& [target, entry] : entries_) {
    if (entry.uses_tls) entry.channel->set_tls(options_.channel.tls);
  }
  clients_.set_tls(etcd);
}

Result<> TargetChannels::Impl::make_room() {
  const bool full = entries_.size() >= options_.channels_max;
  if (const SteadyTime now = shard_.timers.now(); full || now >= next_sweep_) {
    next_sweep_ = now + sweep_interval;
    retire_unused();
  }
  if (sockets_are_full()) {
    // The sockets of a target without calls are closed in favour of the new target.
    if (const auto oldest = longest_idle(); oldest != entries_.end()) retire(oldest);
  }
  if (entries_.size() < options_.channels_max) return ok();
  const auto oldest = longest_idle();
  if (oldest == entries_.end()) {
    return make_error(Errc::overloaded, "calls are running to " + std::to_string(entries_.size()) +
                                            " different targets, which is the limit");
  }
  retire(oldest);
  return ok();
}

TargetChannels::Impl::Entries::iterator TargetChannels::Impl::longest_idle() {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!entry->second.idle()) continue;
    if (oldest == entries_.end() || entry->second.used_at < oldest->second.used_at) oldest = entry;
  }
  return oldest;
}

void TargetChannels::Impl::retire_unused() {
  const SteadyTime unused_since = shard_.timers.now() - options_.idle_timeout;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->second.idle() && entry->second.used_at < unused_since) retire(entry);
    entry = next;
  }
}

void TargetChannels::Impl::retire(Entries::iterator entry) {
  Entry ended = std::move(entry->second);
  entries_.erase(entry);
  CONCERTO_ASSERT(retiring_.spawn(end(std::move(ended))));
}

Task<void> TargetChannels::Impl::end(Entry entry) {
  entry.channel->close();
  entry.channel.reset();
  co_await entry.addresses->close();
}

void TargetChannels::Impl::targets_changed() {
  clients_.targets_changed();
  for (auto& [target, entry] : entries_) entry.addresses->targets_changed();
}

Task<void> TargetChannels::Impl::close() {
  while (!entries_.empty()) retire(entries_.begin());
  co_await retiring_.join();
}

TargetChannels::TargetChannels(const DiscoveryShard& shard, TargetChannelsOptions options)
    : impl_(std::make_unique<Impl>(shard, std::move(options))) {}

TargetChannels::~TargetChannels() = default;

Result<GrpcUrl> TargetChannels::split(std::string_view url) const {
  return parse_grpc_url(impl_->driver(), url);
}

Result<Target> TargetChannels::parse(std::string_view target) const {
  return impl_->schemes().parse(target);
}

Result<> TargetChannels::check(const Target& target) const {
  if (shard().targets == nullptr) return ok();
  const std::string_view scheme = target.key.empty() ? grpc_scheme : etcd_scheme_name;
  for (const HostPort& host : target.hosts) {
    CONCERTO_CHECK(check(TargetPlace{scheme, host.host, host.port}));
  }
  return ok();
}

Result<> TargetChannels::check(const TargetPlace& place) const {
  const TargetGuard* targets = shard().targets;
  return targets ? targets->check(place) : ok();
}

void TargetChannels::targets_changed() {
  impl_->targets_changed();
}

Result<GrpcChannel*> TargetChannels::channel(std::string_view target) {
  return impl_->channel(target);
}

void TargetChannels::set_tls(std::shared_ptr<asio::ssl::context> targets,
                             std::shared_ptr<asio::ssl::context> etcd) {
  impl_->set_tls(std::move(targets), std::move(etcd));
}

std::size_t TargetChannels::channel_count() const noexcept {
  return impl_->size();
}

Task<void> TargetChannels::close() {
  return impl_->close();
}

EtcdClients& TargetChannels::etcd_clients() noexcept {
  return impl_->clients();
}

const DiscoveryShard& TargetChannels::shard() const noexcept {
  return impl_->shard();
}

}  // namespace concerto::net
