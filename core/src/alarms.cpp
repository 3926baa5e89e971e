#include "alarms.hpp"

#include <algorithm>
#include <limits>

namespace concerto {
namespace {

using Entry = RestingTable::Entry;
using Seconds = std::chrono::sys_seconds;

constexpr auto nothing = RestingTable::nothing;

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
  const Slot slot = table_.find(gid);
  if (slot == nothing || !is_known(table_[slot])) return std::nullopt;
  return type_in(table_[slot]);
}

void Alarms::set_wake(const Gid& gid, SteadyTime at) {
  const Slot slot = table_.find_or_insert(gid);
  set_times(slot, {at, times(slot).timeout});
}

void Alarms::set_timeout(const Gid& gid, SteadyTime at) {
  const Slot slot = table_.find_or_insert(gid);
  set_times(slot, {times(slot).wake, at});
}

void Alarms::cancel_wake(const Gid& gid) {
  const Slot slot = table_.find(gid);
  if (slot != nothing) set_times(slot, {SteadyTime::max(), times(slot).timeout});
}

void Alarms::cancel(const Gid& gid) {
  const Slot slot = table_.find(gid);
  if (slot != nothing) set_times(slot, {});
}

std::optional<TransType> Alarms::remove(const Gid& gid) {
  const Slot slot = table_.find(gid);
  if (slot == nothing) return std::nullopt;
  std::optional<TransType> type;
  if (is_known(table_[slot])) type = type_in(table_[slot]);
  leave_heap(slot);
  set_later(slot, SteadyTime::max());
  table_.erase(slot);
  return type;
}

SteadyTime Alarms::earliest() const noexcept {
  return heap_.empty() ? SteadyTime::max() : heap_[0].time();
}

std::optional<Alarms::Due> Alarms::pop_due(SteadyTime now) {
  if (earliest() > now) return std::nullopt;
  const Slot slot = heap_[0].slot;
  Times left = times(slot);
  Due due{table_[slot].gid.key().gid(), left.wake <= now, left.timeout <= now};
  if (due.wake) left.wake = SteadyTime::max();
  if (due.timeout) left.timeout = SteadyTime::max();
  set_times(slot, left);
  return due;
}

void Alarms::waking_after(SteadyTime time, std::size_t limit, std::size_t& from,
                          std::vector<Gid>& found) const {
  const std::size_t end = std::min(from + part_slots, slots());
  for (; from < end && found.size() < limit; ++from) {
    const Slot slot = static_cast<Slot>(from);
    const SteadyTime wake = times(slot).wake;
    if (wake > time && wake != SteadyTime::max()) found.push_back(table_[slot].gid.key().gid());
  }
}

WallTime Alarms::oldest_in(std::size_t part) const {
  WallTime oldest = WallTime::max();
  const std::size_t end = std::min((part + 1) * part_slots, table_.slots());
  for (std::size_t slot = part * part_slots; slot < end; ++slot) {
    const Entry& entry = table_[static_cast<Slot>(slot)];
    if (!is_known(entry)) continue;
    oldest = std::min<WallTime>(oldest, Seconds(std::chrono::seconds(entry.created)));
  }
  return oldest;
}

Alarms::Times Alarms::times(Slot slot) const noexcept {
  const Entry& entry = table_[slot];
  if (entry.place == nothing) return {};
  const SteadyTime first = heap_[entry.place].time();
  const SteadyTime later = entry.has_later ? later_times_.find(slot)->second : SteadyTime::max();
  return entry.wakes_first ? Times{first, later} : Times{later, first};
}

/// A transaction that was not added goes with its last alarm.
void Alarms::set_times(Slot slot, Times times) {
  const SteadyTime first = std::min(times.wake, times.timeout);
  set_later(slot, std::max(times.wake, times.timeout));
  Entry& entry = table_[slot];
  if (first == SteadyTime::max()) {
    leave_heap(slot);
    if (!is_known(entry)) table_.erase(slot);
    return;
  }
  entry.wakes_first = times.wake <= times.timeout;
  if (entry.place == nothing) {
    heap_.push_back({});
    entry.place = static_cast<Slot>(heap_.size() - 1) & nothing;
  }
  place_near(entry.place, first, slot);
}

void Alarms::set_later(Slot slot, SteadyTime later) {
  Entry& entry = table_[slot];
  if (later != SteadyTime::max()) {
    later_times_.insert_or_assign(slot, later);
    entry.has_later = 1;
  } else if (entry.has_later) {
    later_times_.erase(slot);
    entry.has_later = 0;
  }
}

void Alarms::leave_heap(Slot slot) noexcept {
  const std::size_t hole = table_[slot].place;
  if (hole == nothing) return;
  table_[slot].place = nothing;
  const std::size_t last = heap_.size() - 1;
  const HeapItem moved = heap_[last];
  heap_.pop_back();
  if (hole != last) place_near(hole, moved.time(), moved.slot);
}

/// Puts the transaction into the hole, or above or below it, where the heap wants it.
void Alarms::place_near(std::size_t hole, SteadyTime time, Slot slot) noexcept {
  while (hole > 0) {
    const std::size_t parent = (hole - 1) / heap_children;
    const SteadyTime parent_time = heap_[parent].time();
    if (parent_time <= time) break;
    place(hole, parent_time, heap_[parent].slot);
    hole = parent;
  }
  for (;;) {
    const std::size_t begin = heap_children * hole + 1;
    const std::size_t end = std::min(begin + heap_children, heap_.size());
    SteadyTime first = time;
    std::size_t below = hole;
    for (std::size_t child = begin; child < end; ++child) {
      const SteadyTime child_time = heap_[child].time();
      below = child_time < first ? child : below;
      first = std::min(first, child_time);
    }
    if (below == hole) break;
    place(hole, first, heap_[below].slot);
    hole = below;
  }
  place(hole, time, slot);
}

void Alarms::place(std::size_t index, SteadyTime time, Slot slot) noexcept {
  HeapItem& item = heap_[index];
  item.count = time.time_since_epoch().count();
  item.slot = slot;
  table_[slot].place = static_cast<Slot>(index) & nothing;
}

}  // namespace concerto
