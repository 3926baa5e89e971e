#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <concerto/base/error.hpp>
#include <concerto/base/mutex.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// What becomes of an operation that finds the disk full. What the store holds back is given up for
/// it, a piece at a time. When nothing is left, the operation waits until somebody makes room: a
/// shortage that passes must not fail the store. Thread-safe.
class SpaceReserve {
 public:
  /// Gives up a piece of what is held back; false when there is none. `wanted`: bytes of room that
  /// the operation is a part of; pieces that are not enough for all of it win nothing.
  using GiveUp = std::function<bool(std::uint64_t wanted)>;

  /// Calls `attempt`, which returns a Result, until it does not fail for want of space. It may have
  /// written a part before it fails: the next attempt must write the same bytes to the same place.
  template <class Attempt>
  auto use(Attempt attempt, std::uint64_t wanted = 0) {
    auto done = attempt();
    while (!done && lacks_space(done.error().detail) && find_some(done.error(), wanted)) {
      done = attempt();
    }
    return done;
  }

  /// Called by one thread at a time. Null: nothing is held back.
  void give_from(GiveUp give_up);
  /// From now on an operation waits when nothing is held back; before, and after `fail_at_once`, it
  /// fails: a store that cannot be opened says so, one that serves waits. `on_wait` hears of a
  /// wait and its reason, not more often than every ten seconds, on the thread that waits.
  void wait_from_now_on(std::function<void(const Error&)> on_wait);
  void fail_at_once();
  /// Operations that wait for room now.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  bool find_some(const Error& reason, std::uint64_t wanted);

  std::atomic<std::size_t> waiting_ = 0;
  Mutex mutex_;
  ConditionVariable changed_;
  GiveUp give_up_ CONCERTO_GUARDED_BY(mutex_);
  bool may_wait_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::function<void(const Error&)> on_wait_ CONCERTO_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point said_ CONCERTO_GUARDED_BY(mutex_){};
};

}  // namespace concerto::persist
