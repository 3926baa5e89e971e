#include "segment_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::persist {

void SegmentSet::add(std::shared_ptr<Segment> segment, const SegmentState& state) {
  GidFilter filter = segment->take_filter();
  const MutexLock lock(mutex_);
  entries_.push_back({std::move(segment), state, std::move(filter)});
}

void SegmentSet::drop_oldest() {
  const MutexLock lock(mutex_);
  CONCERTO_ASSERT(entries_.size() > 1);
  entries_.front().segment->drop();
  dropped_.push_back(std::move(entries_.front().segment));
  entries_.erase(entries_.begin());
}

void SegmentSet::remove_dropped() {
  Segments unread;  // closed after the lock is released
  const MutexLock lock(mutex_);
  // A dropped segment gets no new readers.
  const auto read = std::partition(dropped_.begin(), dropped_.end(),
                                   [](const auto& segment) { return segment.use_count() > 1; });
  std::move(read, dropped_.end(), std::back_inserter(unread));
  dropped_.erase(read, dropped_.end());
}

void SegmentSet::clear() {
  std::vector<Entry> closed;  // closed after the lock is released
  Segments dropped;
  const MutexLock lock(mutex_);
  closed.swap(entries_);
  dropped.swap(dropped_);
}

/// The number of segments that begin at or before the group.
std::size_t SegmentSet::index_of(std::uint64_t group) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), group,
                                      [](std::uint64_t number, const Entry& entry) {
                                        return number < entry.segment->first_group();
                                      });
  return static_cast<std::size_t>(after - entries_.begin());
}

const SegmentSet::Entry& SegmentSet::entry_of(const Segment& segment) const {
  const std::size_t index = index_of(segment.first_group());
  CONCERTO_ASSERT(index > 0 && entries_[index - 1].segment.get() == &segment);
  return entries_[index - 1];
}

SegmentSet::Entry& SegmentSet::entry_of(const Segment& segment) {
  const std::size_t index = index_of(segment.first_group());
  CONCERTO_ASSERT(index > 0 && entries_[index - 1].segment.get() == &segment);
  return entries_[index - 1];
}

std::shared_ptr<Segment> SegmentSet::of(std::uint64_t group) const {
  const MutexLock lock(mutex_);
  const std::size_t index = index_of(group);
  return index == 0 ? nullptr : entries_[index - 1].segment;
}

std::shared_ptr<Segment> SegmentSet::current() const {
  const MutexLock lock(mutex_);
  return entries_.back().segment;
}

SegmentSet::Segments SegmentSet::all() const {
  const MutexLock lock(mutex_);
  Segments all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.segment);
  return all;
}

std::size_t SegmentSet::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

Result<std::shared_ptr<const std::string>> SegmentSet::read(std::uint64_t group) const {
  const auto segment = of(group);
  if (!segment) {
    return make_error(EngineErrc::trans_not_found,
                      "group " + std::to_string(group) + " is past retention");
  }
  CONCERTO_TRY(std::string value, segment->read(group));
  return std::shared_ptr<const std::string>(std::make_shared<std::string>(std::move(value)));
}

std::vector<SegmentSet::Held> SegmentSet::hold_all() const {
  const MutexLock lock(mutex_);
  std::vector<Held> held;
  for (const Entry& entry : entries_) held.push_back({entry.segment, entry.state});
  return held;
}

std::vector<SegmentState> SegmentSet::states() const {
  const MutexLock lock(mutex_);
  std::vector<SegmentState> states;
  states.reserve(entries_.size());
  for (const Entry& entry : entries_) states.push_back(entry.state);
  return states;
}

SegmentSet::Facts SegmentSet::facts_of(const Segment& segment) const {
  const MutexLock lock(mutex_);
  const Entry& entry = entry_of(segment);
  return {entry.state, entry.filter.keys()};
}

bool SegmentSet::note_finished(std::uint64_t first_group, const Fingerprint& fingerprint,
                               TransStatus status, WallTime at) {
  const MutexLock lock(mutex_);
  const std::size_t index = index_of(first_group);
  if (index == 0) return false;
  Entry& entry = entries_[index - 1];
  entry.filter.insert(fingerprint);
  entry.state.newest_finish = std::max(entry.state.newest_finish, at);
  if (status == TransStatus::failed) {
    entry.state.newest_failure = std::max(entry.state.newest_failure, at);
  }
  return true;
}

SegmentSet::Segments SegmentSet::maybe_in(const Fingerprint& fingerprint) const {
  Segments maybe;
  const MutexLock lock(mutex_);
  for (const Entry& entry : entries_) entry.filter.prefetch(fingerprint);
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
    if (at->filter.may_contain(fingerprint)) maybe.push_back(at->segment);
  }
  return maybe;
}

WallTime SegmentSet::opened_before(WallTime now) {
  const MutexLock lock(mutex_);
  WallTime& opened = entries_.back().state.opened;
  opened = std::min(opened, now);
  return opened;
}

void SegmentSet::correct_finish_times(WallTime now) {
  const MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    entry.state.newest_finish = std::min(entry.state.newest_finish, now);
    entry.state.newest_failure = std::min(entry.state.newest_failure, now);
  }
}

GidFilter SegmentSet::filter_of(const Segment& segment) const {
  const MutexLock lock(mutex_);
  return entry_of(segment).filter;
}

WallTime SegmentSet::note_sealed(const Segment& segment, WallTime now) {
  const MutexLock lock(mutex_);
  SegmentState& state = entry_of(segment).state;
  state.sealed = true;
  state.newest_finish = std::max(state.newest_finish, now);
  return state.newest_finish;
}

Result<> SegmentSet::forget_finished() {
  const MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    CONCERTO_CHECK(entry.segment->forget_finished());
    entry.filter = entry.segment->take_filter();
  }
  return ok();
}

}  // namespace concerto::persist
