#include "alarms.hpp"

#include <algorithm>
#include <limits>

#include <concerto/base/assert.hpp>

namespace concerto {
namespace {

using Entry = WaitingTable::Entry;
using Seconds = std::chrono::sys_seconds;

constexpr auto nothing = WaitingTable::nothing;

static_assert(trans_types <= 8, "an entry's type has three bits, and 0 is none");

TransType type_in(const Entry& entry) noexcept {
  return static_cast<TransType>(entry.type);
}

bool is_known(const Entry& entry) noexcept {
  return entry.type != 0;
}

std::uint32_t to_seconds(WallTime time) noexcept {
  constexpr std::int64_t last = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t count =
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, last));
}

}  // namespace

bool Alarms::add(const Gid& gid, TransType type, WallTime create_time) {
  Entry& entry = table_[table_.find_or_insert(gid)];
  const bool is_new = !is_known(entry);
  entry.type = static_cast<std::uint32_t>(type) & 7U;
  entry.created = to_seconds(create_time);
  return is_new;
}

std::optional<TransType> Alarms::type_of(const Gid& gid) const {
  const Index index = table_.find(gid);
  if (index == nothing || !is_known(table_[index])) return std::nullopt;
  return type_in(table_[index]);
}

void Alarms::set_next_pass(const Gid& gid, SteadyTime at, std::string_view target) {
  const Index index = table_.find_or_insert(gid);
  set_times(index, {at, times(index).timeout}, heap_for(target));
}

void Alarms::set_timeout(const Gid& gid, SteadyTime at) {
  const Index index = table_.find_or_insert(gid);
  set_times(index, {times(index).next_pass, at}, heap_of(index));
}

void Alarms::cancel_next_pass(const Gid& gid) {
  const Index index = table_.find(gid);
  if (index == nothing) return;
  set_times(index, {SteadyTime::max(), times(index).timeout}, AlarmHeaps::common);
}

void Alarms::cancel(const Gid& gid) {
  const Index index = table_.find(gid);
  if (index != nothing) set_times(index, {}, AlarmHeaps::common);
}

std::optional<TransType> Alarms::remove(const Gid& gid) {
  const Index index = table_.find(gid);
  if (index == nothing) return std::nullopt;
  std::optional<TransType> type;
  if (is_known(table_[index])) type = type_in(table_[index]);
  leave_heap(index);
  set_later(index, SteadyTime::max());
  table_.erase(index);
  return type;
}

SteadyTime Alarms::next_pass_of(const Gid& gid) const {
  const Index index = table_.find(gid);
  return index == nothing ? SteadyTime::max() : times(index).next_pass;
}

SteadyTime Alarms::timeout_of(const Gid& gid) const {
  const Index index = table_.find(gid);
  return index == nothing ? SteadyTime::max() : times(index).timeout;
}

SteadyTime Alarms::earliest() const noexcept {
  return heaps_.earliest();
}

std::optional<Alarms::Wake> Alarms::pop_due(SteadyTime now) {
  if (earliest() > now) return std::nullopt;
  const Index index = heaps_.first();
  Times left = times(index);
  Wake wake{table_[index].gid.key().gid(), left.next_pass <= now, left.timeout <= now};
  CONCERTO_ASSERT(wake.next_pass || wake.timeout);
  if (wake.next_pass) left.next_pass = SteadyTime::max();
  if (wake.timeout) left.timeout = SteadyTime::max();
  set_times(index, left, wake.next_pass ? AlarmHeaps::common : heap_of(index));
  return wake;
}

std::size_t Alarms::waiting_for(std::string_view target) const {
  const auto found = heap_of_target_.find(target);
  return found == heap_of_target_.end() ? 0 : heaps_.size_of(found->second);
}

void Alarms::count_waiting(std::map<std::string, std::size_t>& by_target) const {
  for (const auto& [target, heap] : heap_of_target_) by_target[target] += heaps_.size_of(heap);
}

std::vector<std::string> Alarms::targets_with(std::size_t count) const {
  std::vector<std::string> found;
  for (const auto& [target, heap] : heap_of_target_) {
    if (heaps_.size_of(heap) >= count) found.push_back(target);
  }
  return found;
}

std::string_view Alarms::target_of(const Gid& gid) const {
  const Index index = table_.find(gid);
  if (index == nothing) return {};
  const auto found = target_of_heap_.find(heap_of(index));
  return found == target_of_heap_.end() ? std::string_view{} : found->second;
}

std::optional<Alarms::Wake> Alarms::pop_waiting(std::string_view target, Cause cause,
                                                SteadyTime now) {
  const auto found = heap_of_target_.find(target);
  if (found == heap_of_target_.end()) return std::nullopt;
  const Index index = heaps_.first_in(found->second);
  Times left = times(index);
  CONCERTO_ASSERT(left.next_pass != SteadyTime::max());
  Wake wake{table_[index].gid.key().gid(), true, left.timeout <= now, cause};
  left.next_pass = SteadyTime::max();
  if (wake.timeout) left.timeout = SteadyTime::max();
  set_times(index, left, AlarmHeaps::common);
  return wake;
}

void Alarms::waiting_beyond(SteadyTime time, std::size_t limit, std::size_t& from,
                            std::vector<Gid>& found) const {
  const std::size_t end = std::min(from + part_entries, index_end());
  for (; from < end && found.size() < limit; ++from) {
    const Index index = static_cast<Index>(from);
    const SteadyTime next = times(index).next_pass;
    if (next > time && next != SteadyTime::max()) found.push_back(table_[index].gid.key().gid());
  }
}

WallTime Alarms::oldest_in(std::size_t part) const {
  WallTime oldest = WallTime::max();
  const std::size_t end = std::min((part + 1) * part_entries, table_.index_end());
  for (std::size_t index = part * part_entries; index < end; ++index) {
    const Entry& entry = table_[static_cast<Index>(index)];
    if (!is_known(entry)) continue;
    oldest = std::min<WallTime>(oldest, Seconds(std::chrono::seconds(entry.created)));
  }
  return oldest;
}

Alarms::Times Alarms::times(Index index) const noexcept {
  const Entry& entry = table_[index];
  if (!heaps_.contains(index)) return {};
  const SteadyTime first = heaps_.time_of(index);
  const SteadyTime later = entry.has_later ? later_times_.find(index)->second : SteadyTime::max();
  return entry.next_pass_first ? Times{first, later} : Times{later, first};
}

/// A transaction that was never added is forgotten with its last alarm.
void Alarms::set_times(Index index, Times times, AlarmHeaps::Heap heap) {
  const SteadyTime first = std::min(times.next_pass, times.timeout);
  set_later(index, std::max(times.next_pass, times.timeout));
  Entry& entry = table_[index];
  if (heap_of(index) != heap || first == SteadyTime::max()) leave_heap(index);
  if (first != SteadyTime::max()) {
    entry.next_pass_first = times.next_pass <= times.timeout;
    heaps_.put(index, heap, first);
  } else if (!is_known(entry)) {
    table_.erase(index);
  }
}

void Alarms::set_later(Index index, SteadyTime later) {
  Entry& entry = table_[index];
  if (later != SteadyTime::max()) {
    later_times_.insert_or_assign(index, later);
    entry.has_later = 1;
  } else if (entry.has_later) {
    later_times_.erase(index);
    entry.has_later = 0;
  }
}

AlarmHeaps::Heap Alarms::heap_of(Index index) const noexcept {
  return heaps_.contains(index) ? heaps_.heap_of(index) : AlarmHeaps::common;
}

/// The heap of the transactions that wait for the target. A new heap is empty; the caller puts a
/// transaction into it.
AlarmHeaps::Heap Alarms::heap_for(std::string_view target) {
  if (target.empty()) return AlarmHeaps::common;
  const auto found = heap_of_target_.find(target);
  if (found != heap_of_target_.end()) return found->second;
  if (heap_of_target_.size() >= targets_max) return AlarmHeaps::common;
  const AlarmHeaps::Heap heap = heaps_.add();
  const auto added = heap_of_target_.emplace(target, heap).first;
  target_of_heap_.emplace(heap, added->first);
  return heap;
}

/// Takes a transaction out of its heap, and forgets the target if no transaction waits for it any
/// more.
void Alarms::leave_heap(Index index) {
  if (!heaps_.contains(index)) return;
  const AlarmHeaps::Heap heap = heaps_.heap_of(index);
  if (!heaps_.take(index)) return;
  const auto target = target_of_heap_.find(heap);
  heap_of_target_.erase(heap_of_target_.find(target->second));
  target_of_heap_.erase(target);
}

}  // namespace concerto
