#include "dns_queue.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::net {

void RecentNames::add(const std::string& name) {
  if (const auto known = places_.find(name); known != places_.end()) {
    order_.splice(order_.end(), order_, known->second);
    return;
  }
  if (order_.size() >= names_max_) {
    places_.erase(order_.front());
    order_.pop_front();
  }
  places_.emplace(name, order_.insert(order_.end(), name));
}

void RecentNames::erase(const std::string& name) {
  const auto known = places_.find(name);
  if (known == places_.end()) return;
  order_.erase(known->second);
  places_.erase(known);
}

DnsQueue::Kind DnsQueue::kind_of(const std::string& host) const {
  if (slow_.contains(host)) return slow;
  return found_before_.contains(host) ? found_before : unknown;
}

std::optional<DnsQueue::Ticket> DnsQueue::add(const std::string& host, Done done) {
  auto lookup = lookups_.find(host);
  if (lookup == lookups_.end()) {
    const Kind kind = kind_of(host);
    auto& queue = queues_[kind];
    if (queue.size() >= queued_max) return std::nullopt;
    lookup = lookups_.try_emplace(host).first;
    lookup->second.kind = kind;
    lookup->second.place = queue.insert(queue.end(), host);
  }
  const Ticket ticket = ++last_ticket_;
  lookup->second.waiting.emplace(ticket, std::move(done));
  hosts_.emplace(ticket, host);
  return ticket;
}

DnsQueue::Done DnsQueue::drop(Ticket ticket) {
  const auto host = hosts_.find(ticket);
  if (host == hosts_.end()) return nullptr;
  const auto at = lookups_.find(host->second);
  CONCERTO_ASSERT(at != lookups_.end());
  hosts_.erase(host);
  Lookup& lookup = at->second;
  const auto waiter = lookup.waiting.find(ticket);
  CONCERTO_ASSERT(waiter != lookup.waiting.end());
  Done done = std::move(waiter->second);
  lookup.waiting.erase(waiter);
  if (lookup.waiting.empty() && !lookup.running) {
    queues_[lookup.kind].erase(lookup.place);
    lookups_.erase(at);
  }
  return done;
}

/// How many more look-ups of this kind may begin now, if none of another kind begins.
std::size_t DnsQueue::room(Kind kind) const {
  const std::size_t unproven = running_[unknown] + running_[slow];
  const std::size_t all = running_[found_before] + unproven;
  CONCERTO_ASSERT(all <= running_max && unproven <= unproven_running_max &&
                  running_[slow] <= slow_running_max);
  std::size_t left = running_max - all;
  if (kind != found_before) left = std::min(left, unproven_running_max - unproven);
  if (kind == slow) left = std::min(left, slow_running_max - running_[slow]);
  return left;
}

std::optional<std::string> DnsQueue::take(SteadyTime now) {
  for (const Kind kind : {found_before, unknown, slow}) {
    auto& queue = queues_[kind];
    if (queue.empty() || room(kind) == 0) continue;
    std::string host = std::move(queue.front());
    queue.pop_front();
    ++running_[kind];
    Lookup& lookup = lookups_.at(host);
    lookup.running = true;
    lookup.begun = now;
    return host;
  }
  return std::nullopt;
}

DnsQueue::Answers DnsQueue::finish(const std::string& host, bool found, SteadyTime now) {
  const auto at = lookups_.find(host);
  CONCERTO_ASSERT(at != lookups_.end() && at->second.running);
  Lookup& lookup = at->second;
  --running_[lookup.kind];
  if (now - lookup.begun >= slow_after) {
    found_before_.erase(host);
    slow_.add(host);
  } else {
    slow_.erase(host);
    if (found) found_before_.add(host);
  }
  Answers answers = std::move(lookup.waiting);
  for (const auto& [ticket, done] : answers) hosts_.erase(ticket);
  lookups_.erase(at);
  return answers;
}

DnsQueue::Answers DnsQueue::clear() {
  Answers all;
  for (auto& [host, lookup] : lookups_) all.merge(lookup.waiting);
  hosts_.clear();
  for (auto& queue : queues_) queue.clear();
  std::erase_if(lookups_, [](const auto& each) { return !each.second.running; });
  return all;
}

std::size_t DnsQueue::ready_count() const {
  const std::size_t slow_ready = std::min(queues_[slow].size(), room(slow));
  const std::size_t unproven = std::min(queues_[unknown].size() + slow_ready, room(unknown));
  return std::min(queues_[found_before].size() + unproven, room(found_before));
}

std::size_t DnsQueue::queued_count() const {
  std::size_t count = 0;
  for (const auto& queue : queues_) count += queue.size();
  return count;
}

}  // namespace concerto::net
