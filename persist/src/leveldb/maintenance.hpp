#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "store_core.hpp"

namespace concerto::persist {

/// Checkpoints, sealing of segments, and retention, on a thread of its own.
class Maintenance {
 public:
  explicit Maintenance(StoreCore& core) : core_(core) {}
  ~Maintenance();
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  /// Errors: overloaded, when the system has no room for a thread.
  Result<> start();
  void stop();
  /// Looks at the disk's room, as the thread does again and again. At the start it is called before
  /// anybody can ask for the room.
  void look_at_room();
  /// Does everything now, a checkpoint included, and returns when it is done.
  Result<> run_now();

 private:
  void run();
  Result<> run_once(bool checkpoint_now);
  Result<> work(bool checkpoint_now);
  Result<> checkpoint();
  bool checkpoint_is_due() const;
  Result<> write_unfinished(Ledger::Checkpoint& checkpoint);
  Result<> write_directories(const FinishedTable& finished);
  Result<> write_failed(const Ledger::FailedTable& failed);
  Result<> write_entries(std::vector<FinishedEntry>& entries);
  void give_way(SteadyTime begin);
  Result<> seal_segments();
  Result<> seal(Segment& segment);
  Result<> apply_retention();
  bool may_drop(const SegmentSet::Segments& segments, std::uint64_t bytes);
  Result<> drop_oldest(const SegmentSet::Segments& segments);
  Result<> shorten_chains();
  void measure_disk();

  /// Writes transactions anew, whole; those that have finished meanwhile, or change all the time,
  /// are left out.
  Result<> move_all(const std::vector<Fingerprint>& gids);
  Result<> append(EncodedRecord record, Durability durability, Place* place);

  StoreCore& core_;
  std::mutex work_mutex_;                    ///< one piece of work at a time
  bool hurried_ = false;                     ///< somebody waits for the work
  std::uint64_t last_checkpoint_bytes_ = 0;  ///< what the last checkpoint added to the log
  std::vector<Fingerprint> long_chains_;
  int looks_until_measured_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace concerto::persist
