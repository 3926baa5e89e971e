#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "segment.hpp"

namespace concerto::persist {

/// The segments of a store, oldest first; the last one is appended to. Thread-safe.
class SegmentSet {
 public:
  using Segments = std::vector<std::shared_ptr<Segment>>;

  void add(std::shared_ptr<Segment> segment);
  /// Its files go with `remove_dropped`, once no reader has it any more.
  void drop_oldest();
  /// Closes and removes the dropped segments that nobody reads any more: a reader that lets go of
  /// one on a shard's thread closes no database there. On a thread that may block.
  void remove_dropped();
  void clear();

  /// The segment that holds a group; null when it is gone.
  std::shared_ptr<Segment> of(std::uint64_t group) const;
  std::shared_ptr<Segment> current() const;
  Segments all() const;
  std::size_t size() const;

  /// A group's value. Errors: store_damaged; trans_not_found when its segment is gone.
  Result<std::shared_ptr<const std::string>> read(std::uint64_t group) const;

 private:
  mutable std::mutex mutex_;
  Segments segments_;
  Segments dropped_;
};

}  // namespace concerto::persist
