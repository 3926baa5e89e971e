#pragma once

#include <thread>
#include <vector>

#include <concerto/base/mutex.hpp>

#include "store_core.hpp"

namespace concerto::persist {

/// Checkpoints, sealing of segments, and retention, on a thread of its own.
class Maintenance {
 public:
  explicit Maintenance(StoreCore& core) : core_(core) {}
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  /// Errors: overloaded, if the system starts no thread.
  Result<> start();
  void stop();
  /// Does all work now, a checkpoint included, and returns when it is done.
  Result<> run_now();

 private:
  void run();
  /// Waits for `time`. True if the store stops meanwhile.
  bool stops_within(UniqueLock& lock, std::chrono::nanoseconds time) CONCERTO_REQUIRES(mutex_);
  Result<> run_once(bool checkpoint_now);
  Result<> work(bool checkpoint_now) CONCERTO_REQUIRES(work_mutex_);
  Result<> checkpoint() CONCERTO_REQUIRES(work_mutex_);
  bool checkpoint_is_due() const CONCERTO_REQUIRES(work_mutex_);
  Result<> write_unfinished(Ledger::Checkpoint& checkpoint) CONCERTO_REQUIRES(work_mutex_);
  Result<> write_directories(const FinishedTable& finished) CONCERTO_REQUIRES(work_mutex_);
  Result<> write_failed(const Ledger::FailedTable& failed) CONCERTO_REQUIRES(work_mutex_);
  Result<> write_entries(std::vector<FinishedEntry>& entries) CONCERTO_REQUIRES(work_mutex_);
  void give_way(SteadyTime begin) CONCERTO_REQUIRES(work_mutex_);
  Result<> seal_segments() CONCERTO_REQUIRES(work_mutex_);
  Result<> seal(Segment& segment) CONCERTO_REQUIRES(work_mutex_);
  Result<> apply_retention() CONCERTO_REQUIRES(work_mutex_);
  bool may_drop(const SegmentSet::Segments& segments, std::uint64_t bytes);
  Result<> drop_oldest(const SegmentSet::Segments& segments) CONCERTO_REQUIRES(work_mutex_);
  Result<> shorten_chains() CONCERTO_REQUIRES(work_mutex_);
  void measure_disk() CONCERTO_REQUIRES(work_mutex_);

  /// Writes whole transactions anew. Transactions that have finished meanwhile, or that change all
  /// the time, are left out.
  Result<> move_all(const std::vector<Fingerprint>& gids);
  Result<> append(EncodedRecord record, Durability durability, Place* place)
      CONCERTO_REQUIRES(work_mutex_);

  StoreCore& core_;
  Mutex work_mutex_;                                       ///< held during one piece of work
  bool hurried_ CONCERTO_GUARDED_BY(work_mutex_) = false;  ///< a caller waits for the work
  /// What the last checkpoint added to the log.
  std::uint64_t last_checkpoint_bytes_ CONCERTO_GUARDED_BY(work_mutex_) = 0;
  std::vector<Fingerprint> long_chains_ CONCERTO_GUARDED_BY(work_mutex_);
  int looks_until_measured_ CONCERTO_GUARDED_BY(work_mutex_) = 0;

  Mutex mutex_;
  ConditionVariable wake_;
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace concerto::persist
