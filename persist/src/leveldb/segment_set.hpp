#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <concerto/base/mutex.hpp>

#include "gid_filter.hpp"
#include "segment.hpp"

namespace concerto::persist {

/// The segments of a store, oldest first, and what changes about them while the store runs: their
/// states, and the filters of their finished transactions. Groups are appended to the last segment.
/// Thread-safe.
class SegmentSet {
 public:
  using Segments = std::vector<std::shared_ptr<Segment>>;

  /// Takes the filter with which the segment was created or opened.
  void add(std::shared_ptr<Segment> segment, const SegmentState& state);
  /// The segment's files are removed by `remove_dropped`, once no reader holds the segment any
  /// more.
  void drop_oldest();
  /// Closes and removes the dropped segments that nobody reads any more. Call it on a thread that
  /// may block. So no reader closes a database on a shard's thread when it releases a segment.
  void remove_dropped();
  void clear();

  /// The segment that holds a group. Null if it is gone.
  std::shared_ptr<Segment> of(std::uint64_t group) const;
  std::shared_ptr<Segment> current() const;
  Segments all() const;
  std::size_t size() const;

  /// A group's value. Errors: store_damaged; trans_not_found if its segment is gone.
  Result<std::shared_ptr<const std::string>> read(std::uint64_t group) const;

  struct Held {
    std::shared_ptr<Segment> segment;
    SegmentState state;
  };
  /// All segments with their states, as they are at one moment.
  std::vector<Held> hold_all() const;

  // ---- States and filters.

  std::vector<SegmentState> states() const;
  struct Facts {
    SegmentState state;
    std::size_t finished_count = 0;  ///< about how many transactions the filter has
  };
  /// Facts of a segment that is not dropped.
  Facts facts_of(const Segment& segment) const;

  /// Notes that a transaction that began in `first_group` has finished. False if its segment is
  /// gone.
  bool note_finished(std::uint64_t first_group, const Fingerprint& fingerprint, TransStatus status,
                     WallTime at);
  /// The segments of which the filter may know the gid, newest first.
  Segments maybe_in(const Fingerprint& fingerprint) const;

  /// When the current segment was opened, but `now` at the latest: a clock that was ahead does not
  /// make the segment live longer.
  WallTime opened_before(WallTime now);
  /// Transactions that finished while a clock was ahead count as finished now.
  void correct_finish_times(WallTime now);
  GidFilter filter_of(const Segment& segment) const;
  /// Returns the time of the newest finish, but `now` at the earliest.
  WallTime note_sealed(const Segment& segment, WallTime now);
  /// Empties the directories of all segments, so that they can be filled anew. Only while the store
  /// is opened.
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
