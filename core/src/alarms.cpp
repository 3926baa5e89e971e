#include "alarms.hpp"

#include <algorithm>
#include <utility>

namespace concerto {

bool Alarms::add(const Gid& gid, TransType type, WallTime create_time) {
  Times& times = times_.try_emplace(gid).first->second;
  const bool is_new = !times.is_known();
  times.type = type;
  times.create_time = create_time;
  return is_new;
}

std::optional<TransType> Alarms::type_of(const Gid& gid) const {
  const auto found = times_.find(gid);
  if (found == times_.end() || !found->second.is_known()) return std::nullopt;
  return found->second.type;
}

void Alarms::set_wake(const Gid& gid, SteadyTime at) {
  Entry& entry = *times_.try_emplace(gid).first;
  entry.second.wake = at;
  update(entry);
}

void Alarms::set_timeout(const Gid& gid, SteadyTime at) {
  Entry& entry = *times_.try_emplace(gid).first;
  entry.second.timeout = at;
  update(entry);
}

void Alarms::cancel_wake(const Gid& gid) {
  const auto found = times_.find(gid);
  if (found == times_.end()) return;
  found->second.wake = SteadyTime::max();
  update(*found);
}

void Alarms::cancel(const Gid& gid) {
  const auto found = times_.find(gid);
  if (found == times_.end()) return;
  found->second.wake = found->second.timeout = SteadyTime::max();
  update(*found);
}

std::optional<TransType> Alarms::remove(const Gid& gid) {
  const auto found = times_.find(gid);
  if (found == times_.end()) return std::nullopt;
  std::optional<TransType> type;
  if (found->second.is_known()) type = found->second.type;
  leave_heap(found->second);
  times_.erase(found);
  return type;
}

SteadyTime Alarms::earliest() const noexcept {
  return heap_.empty() ? SteadyTime::max() : heap_.front()->second.first();
}

std::optional<Alarms::Due> Alarms::pop_due(SteadyTime now) {
  if (earliest() > now) return std::nullopt;
  Entry& entry = *heap_.front();
  Times& times = entry.second;
  Due due{entry.first, times.wake <= now, times.timeout <= now};
  if (due.wake) times.wake = SteadyTime::max();
  if (due.timeout) times.timeout = SteadyTime::max();
  update(entry);
  return due;
}

std::vector<Gid> Alarms::waking_after(SteadyTime time, std::size_t limit) const {
  std::vector<Gid> found;
  for (const Entry* entry : heap_) {
    if (found.size() == limit) break;
    const SteadyTime wake = entry->second.wake;
    if (wake > time && wake != SteadyTime::max()) found.push_back(entry->first);
  }
  return found;
}

WallTime Alarms::oldest_in(std::size_t part) const {
  WallTime oldest = WallTime::max();
  const std::size_t end = std::min((part + 1) * part_buckets, times_.bucket_count());
  for (std::size_t bucket = part * part_buckets; bucket < end; ++bucket) {
    for (auto entry = times_.begin(bucket); entry != times_.end(bucket); ++entry) {
      oldest = std::min(oldest, entry->second.create_time);
    }
  }
  return oldest;
}

void Alarms::update(Entry& entry) {
  Times& times = entry.second;
  if (times.first() == SteadyTime::max()) {
    leave_heap(times);
    if (!times.is_known()) times_.erase(times_.find(entry.first));
    return;
  }
  if (times.index == npos) {
    heap_.push_back(&entry);
    times.index = static_cast<std::uint32_t>(heap_.size() - 1);
  }
  sift_up(times.index);
  sift_down(times.index);
}

void Alarms::leave_heap(Times& times) {
  const std::size_t hole = std::exchange(times.index, npos);
  if (hole == npos) return;
  Entry* last = heap_.back();
  heap_.pop_back();
  if (hole == heap_.size()) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->second.index);
}

void Alarms::place(std::size_t index, Entry* entry) noexcept {
  heap_[index] = entry;
  entry->second.index = static_cast<std::uint32_t>(index);
}

void Alarms::sift_up(std::size_t index) noexcept {
  Entry* entry = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->second.first() <= entry->second.first()) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void Alarms::sift_down(std::size_t index) noexcept {
  Entry* entry = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() &&
        heap_[child + 1]->second.first() < heap_[child]->second.first()) {
      ++child;
    }
    if (entry->second.first() <= heap_[child]->second.first()) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

}  // namespace concerto
