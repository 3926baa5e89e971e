#pragma once

#include <memory>
#include <string>

#include <concerto/base/mutex.hpp>
#include <concerto/persist/leveldb_store.hpp>

#include "../committer.hpp"
#include "disk_room.hpp"
#include "ledger.hpp"
#include "segment_set.hpp"
#include "store_files.hpp"
#include "store_listing.hpp"
#include "store_lock.hpp"

namespace concerto::persist {

/// The parts of an open store, and what the committer and the maintenance thread share: the list
/// of segments and the file STATE. As the committer's sink, the core passes changes to the ledger
/// and writes groups to the current segment. Members are destroyed in reverse order.
class StoreCore final : public GroupSink {
 public:
  StoreCore(LevelDbOptions store_options, const Clock& used_clock, Observer& used_observer,
            StoreLock held, const StoreIdentity& identity);
  ~StoreCore() override;
  /// Closes the files and releases the directory. Nothing may run any more.
  void release();

  // ---- The sink of the committer, on the committer's thread.

  Result<std::size_t> add(CommitRequest& request) override {
    return ledger.order(static_cast<LogRequest&>(request));
  }
  /// Appends the group to the log, and begins a new segment if it is time.
  Result<> write(CommitGroup& group) override;
  void written() override { ledger.written(); }
  bool has_room() const noexcept override { return !room.is_short(); }

  // ---- Segments and the file STATE.

  /// An error if the directory that was opened is no longer at its path; from then on no file is
  /// touched by its name. Thread-safe.
  Result<> check_place();

  /// Whether the current segment is past its age and holds data that retention will drop. Such a
  /// segment ends with the next group, but an idle store writes no group by itself. Thread-safe.
  bool segment_waits_for_group();

  /// Creates the next segment ahead, once the current one is half full, because that takes many
  /// syncs. On the maintenance thread.
  Result<> prepare_segment();

  /// Changes the content of the file STATE and writes the file, if the directory is still at its
  /// path.
  template <class Change>
  Result<> change_state(Change change) {
    const MutexLock hold(state_mutex_);
    change(state_);
    return write_state();
  }
  StoreState state() const;
  /// Only while the store is opened: takes over the content of the file.
  void adopt_state(StoreState state) {
    const MutexLock hold(state_mutex_);
    state_ = std::move(state);
  }

  StoreRetention retention() const;
  void set_retention(const StoreRetention& retention);

  void log(LogLevel level, const std::string& text) { observer.log(level, "", text); }

  const LevelDbOptions options;
  const Clock& clock;
  Observer& observer;
  const FingerprintKey key;
  StoreLock lock;
  StoreProbe probe;
  SegmentEnv env;
  Disk& disk;
  DiskRoom room;
  SegmentSet segments;
  Ledger ledger;
  Committer committer;

  std::atomic<std::uint64_t> unchecked_bytes = 0;  ///< bytes of log since the last checkpoint
  std::atomic<bool> segment_opened = false;        ///< a segment waits to be sealed

 private:
  bool is_past_age();
  Result<> begin_segment(std::uint64_t first_group);
  Result<> write_state() CONCERTO_REQUIRES(state_mutex_);

  Mutex prepared_mutex_;  ///< held while a segment is prepared or begun; locked before state_mutex_
  std::shared_ptr<Segment> prepared_ CONCERTO_GUARDED_BY(prepared_mutex_);
  mutable Mutex state_mutex_;
  StoreState state_ CONCERTO_GUARDED_BY(state_mutex_);
  StoreRetention retention_ CONCERTO_GUARDED_BY(state_mutex_);
  std::atomic<std::uint64_t> segment_bytes_ = 0;  ///< of the current segment
  Result<> begun_ = ok();  ///< the error if the current segment is full and no new one has begun
};

/// Opens or creates the store in options.path; the committer has not started yet.
Result<std::unique_ptr<StoreCore>> open_core(const LevelDbOptions& options, const Clock& clock,
                                             Observer& observer);

/// Removes a closed store's own files, as LevelDbStore::remove says.
Result<> remove_store(Disk& disk, const std::string& path);

/// Fills segments and ledger from the files of an existing store.
Result<> recover(StoreCore& core);

}  // namespace concerto::persist
