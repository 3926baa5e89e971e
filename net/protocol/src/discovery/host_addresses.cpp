#include "host_addresses.hpp"

#include <algorithm>
#include <utility>

#include <concerto/transport/grpc_status.hpp>

namespace concerto::net {
namespace {

constexpr unsigned doublings_max = 5;

std::optional<asio::ip::address> literal(const std::string& host) {
  error_code not_one;
  const auto address = asio::ip::make_address(host, not_one);
  if (not_one) return std::nullopt;
  return address;
}

}  // namespace

HostAddresses::HostAddresses(const DiscoveryShard& shard, std::string_view scheme,
                             std::string whose)
    : shard_(shard),
      scheme_(scheme),
      whose_(std::move(whose)),
      next_due_(shard.timers, [this] { begin_due(); }),
      tasks_(shard.executor) {}

void HostAddresses::set_hosts(std::vector<HostPort> hosts) {
  hosts_ = std::move(hosts);
  std::map<std::string, Lookup> wanted;
  for (const auto& [host, port] : hosts_) {
    if (literal(host)) continue;
    if (const auto known = lookups_.find(host); known != lookups_.end()) {
      wanted.insert(lookups_.extract(known));
    } else {
      wanted.try_emplace(host);
    }
  }
  lookups_ = std::move(wanted);
  begin_due();
  publish_known();
}

void HostAddresses::set_unavailable(Error reason) {
  hosts_.clear();
  lookups_.clear();
  next_due_.cancel();
  publish_error(std::move(reason));
}

void HostAddresses::refresh() {
  const SteadyTime now = shard_.timers.now();
  for (auto& [host, lookup] : lookups_) {
    if (!lookup.running && lookup.begun + lookup_interval_min <= now) lookup.due = now;
  }
  begin_due();
}

void HostAddresses::targets_changed() {
  if (has_hosts()) publish_known();
}

void HostAddresses::begin_due() {
  const SteadyTime now = shard_.timers.now();
  SteadyTime next = SteadyTime::max();
  for (auto& [host, lookup] : lookups_) {
    if (lookup.running) continue;
    if (lookup.due > now) {
      next = std::min(next, lookup.due);
      continue;
    }
    lookup.begun = now;
    lookup.running = tasks_.spawn(look_up(host));
  }
  next_due_.set(next);
}

Task<void> HostAddresses::look_up(std::string host) {
  auto found = co_await shard_.resolver.resolve(host);
  const auto lookup = lookups_.find(host);
  if (lookup == lookups_.end()) co_return;  // The host was removed meanwhile.
  take(lookup->second, std::move(found));
  begin_due();
  publish_known();
}

void HostAddresses::take(Lookup& lookup, Result<HostAddressList> found) {
  lookup.running = false;
  lookup.ended_once = true;
  auto pause = lookup_interval;
  if (found) {
    lookup.found = std::move(*found);
    lookup.failure_count = 0;
  } else {
    lookup.error = std::move(found).error();
    const unsigned doublings = std::min(lookup.failure_count++, doublings_max);
    pause = std::min(lookup_interval, lookup_interval_min * (1 << doublings));
  }
  lookup.due = shard_.timers.now() + pause;
}

Result<> HostAddresses::check(const HostPort& host, const asio::ip::address& address) const {
  if (shard_.targets == nullptr) return ok();
  auto allowed = shard_.targets->check(TargetPlace{scheme_, host.host, host.port}, address);
  if (allowed || whose_.empty()) return allowed;
  return make_error(Errc::invalid_request, whose_ + " refused by TargetAllow or TargetDeny");
}

void HostAddresses::publish_known() {
  std::vector<Address> known;
  std::optional<Error> failure;
  bool waiting = false, refuses = false;
  const auto add = [&](const HostPort& host, const asio::ip::address& address) {
    if (Result<> allowed = check(host, address)) {
      known.emplace_back(address, host.port);
    } else {
      failure = std::move(allowed).error();
      refuses = true;
    }
  };
  for (const HostPort& host : hosts_) {
    if (const auto address = literal(host.host)) {
      add(host, *address);
      continue;
    }
    const Lookup& lookup = lookups_.at(host.host);
    if (lookup.error.code && !failure) failure = lookup.error;
    for (const auto& address : lookup.found) add(host, address);
    if (!lookup.ended_once) waiting = true;
  }
  is_refused_ = known.empty() && !waiting && refuses;
  if (!known.empty()) {
    // Name servers answer in changing order, which is not a change.
    const auto& now = addresses();
    if (!std::is_permutation(known.begin(), known.end(), now.begin(), now.end())) {
      publish(std::move(known));
    }
  } else if (!waiting && failure) {
    publish_error(Error{make_unsent_error_code(GrpcCode::unavailable), std::move(failure->detail)});
  }
}

}  // namespace concerto::net
