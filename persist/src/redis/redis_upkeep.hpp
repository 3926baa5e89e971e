#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>

#include "../damaged_records.hpp"
#include "redis_keys.hpp"
#include "redis_lane.hpp"
#include "redis_promise.hpp"

namespace concerto::persist {

/// The store's work at intervals, on a thread of its own, a little at a time:
/// - asks what Redis promises;
/// - goes through all records: puts those that the reference has made into the index, and takes
///   out of `open` what the reference has finished. So lists show the reference's transactions;
/// - takes expired transactions out of the index and the schedule;
/// - puts unfinished transactions into the schedule that are not there.
/// Thread-safe.
class RedisUpkeep {
 public:
  /// `place` says for people where the store is, and who its coordinator is.
  RedisUpkeep(RedisLane& lane, const RedisKeys& keys, ReplicaWait wait, std::string place,
              DamagedRecords& damaged, Observer& observer)
      : lane_(lane),
        keys_(keys),
        wait_(wait),
        place_(std::move(place)),
        damaged_(damaged),
        observer_(observer) {}
  ~RedisUpkeep() { stop(); }
  RedisUpkeep(const RedisUpkeep&) = delete;
  RedisUpkeep& operator=(const RedisUpkeep&) = delete;

  /// Errors: overloaded.
  Result<> start();
  void stop();

  /// Asks the server what it promises. An error is not reported: the lane has logged it.
  void look_at_server();
  /// Does everything once. Blocks.
  Result<> run_once();
  std::vector<std::string> warnings() const;

 private:
  void run();
  bool pause(std::chrono::milliseconds time);
  Result<> say_opened();
  Result<bool> is_empty();
  Result<> index_records();
  Result<> index(const std::vector<std::string>& keys);
  Result<> forget_expired(const std::string& part);

  RedisLane& lane_;
  const RedisKeys& keys_;
  const ReplicaWait wait_;
  const std::string place_;
  DamagedRecords& damaged_;
  Observer& observer_;
  std::atomic<bool> has_said_opened_ = false;

  mutable Mutex mutex_;
  ConditionVariable stopped_;
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::optional<RedisPromise> promise_ CONCERTO_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace concerto::persist
