#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <concerto/base/mutex.hpp>

#include "gid_filter.hpp"
#include "segment.hpp"

namespace concerto::persist {

/// The segments of a store, oldest first, and what changes of them while the store runs: their
/// states and the filters of their finished transactions. The last one is appended to. Thread-safe.
class SegmentSet {
 public:
  using Segments = std::vector<std::shared_ptr<Segment>>;

  /// Takes the filter with which the segment was created or opened.
  void add(std::shared_ptr<Segment> segment, const SegmentState& state);
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

  // ---- States and filters.

  std::vector<SegmentState> states() const;
  struct Facts {
    SegmentState state;
    std::size_t finished_count = 0;  ///< about as many transactions of the filter
  };
  /// Of a segment that is not dropped.
  Facts facts_of(const Segment& segment) const;

  /// A transaction that began in `first_group` has finished. False when its segment is gone.
  bool note_finished(std::uint64_t first_group, const Fingerprint& fingerprint, TransStatus status,
                     WallTime at);
  /// The segments of which the filter may know the gid, newest first.
  Segments maybe_in(const Fingerprint& fingerprint) const;

  /// When the current segment was opened. A clock that was ahead then does not make it live longer.
  WallTime opened_before(WallTime now);
  /// What finished while a clock was ahead counts as finished now, not as finished then.
  void correct_finish_times(WallTime now);
  GidFilter filter_of(const Segment& segment) const;
  /// Returns the time of the newest finish: now, at the earliest.
  WallTime note_sealed(const Segment& segment, WallTime now);
  /// Empties the directories of all segments, to be filled anew. At opening only.
  Result<> forget_finished();

 private:
  struct Entry {
    std::shared_ptr<Segment> segment;
    SegmentState state;
    GidFilter filter;
  };

  std::size_t index_of(std::uint64_t group) const CONCERTO_REQUIRES(mutex_);
  const Entry& entry_of(const Segment& segment) const CONCERTO_REQUIRES(mutex_);
  Entry& entry_of(const Segment& segment) CONCERTO_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::vector<Entry> entries_ CONCERTO_GUARDED_BY(mutex_);
  Segments dropped_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::persist
