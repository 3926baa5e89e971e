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
  void remove_oldest();
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
};

}  // namespace concerto::persist
