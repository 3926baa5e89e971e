#include "segment_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace concerto::persist {

void SegmentSet::add(std::shared_ptr<Segment> segment) {
  const std::lock_guard lock(mutex_);
  segments_.push_back(std::move(segment));
}

void SegmentSet::drop_oldest() {
  const std::lock_guard lock(mutex_);
  segments_.front()->drop();
  dropped_.push_back(std::move(segments_.front()));
  segments_.erase(segments_.begin());
}

void SegmentSet::remove_dropped() {
  Segments unread;  // closed without the lock
  const std::lock_guard lock(mutex_);
  // No new reader can come to a dropped segment.
  const auto read = std::partition(dropped_.begin(), dropped_.end(),
                                   [](const auto& segment) { return segment.use_count() > 1; });
  std::move(read, dropped_.end(), std::back_inserter(unread));
  dropped_.erase(read, dropped_.end());
}

void SegmentSet::clear() {
  Segments closed, dropped;  // closed without the lock
  const std::lock_guard lock(mutex_);
  closed.swap(segments_);
  dropped.swap(dropped_);
}

std::shared_ptr<Segment> SegmentSet::of(std::uint64_t group) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), group,
      [](std::uint64_t number, const auto& segment) { return number < segment->first_group(); });
  return after == segments_.begin() ? nullptr : *std::prev(after);
}

std::shared_ptr<Segment> SegmentSet::current() const {
  const std::lock_guard lock(mutex_);
  return segments_.back();
}

SegmentSet::Segments SegmentSet::all() const {
  const std::lock_guard lock(mutex_);
  return segments_;
}

std::size_t SegmentSet::size() const {
  const std::lock_guard lock(mutex_);
  return segments_.size();
}

Result<std::shared_ptr<const std::string>> SegmentSet::read(std::uint64_t group) const {
  const auto segment = of(group);
  if (!segment) {
    return make_error(Errc::trans_not_found,
                      "group " + std::to_string(group) + " is past retention");
  }
  CONCERTO_TRY(std::string value, segment->read(group));
  return std::shared_ptr<const std::string>(std::make_shared<std::string>(std::move(value)));
}

}  // namespace concerto::persist
