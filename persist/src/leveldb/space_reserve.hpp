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

/// Decides what happens to an operation that finds the disk full. The store gives up the room that
/// it holds back, a piece at a time. When nothing is left, the operation waits until somebody makes
/// room, because a shortage that passes must not fail the store. Thread-safe.
class SpaceReserve {
 public:
  /// Gives up a piece of the room that is held back. False if there is none. `wanted`: the room
  /// that the whole work needs of which the operation is a part. Pieces that are not enough for all
  /// of it would be wasted.
  using GiveUp = std::function<bool(std::uint64_t wanted)>;

  /// Calls `attempt`, which returns a Result, until it does not fail for lack of space. An attempt
  /// that fails may have written a part, so the next one must write the same bytes to the same
  /// place.
  template <class Attempt>
  auto use(Attempt attempt, std::uint64_t wanted = 0) {
    auto done = attempt();
    while (!done && lacks_space(done.error().detail) && find_some(done.error(), wanted)) {
      done = attempt();
    }
    return done;
  }

  /// Sets the function that gives up room. It is called by one thread at a time. Null: nothing is
  /// held back.
  void give_from(GiveUp give_up);
  /// From this call on, an operation waits if nothing is held back any more. Before this call and
  /// after `fail_at_once` such an operation fails, because the start of a store should report the
  /// shortage and a running store should outlast it. `on_wait` is called with the reason when an
  /// operation waits, at most every ten seconds, on the waiting thread.
  void wait_from_now_on(std::function<void(const Error&)> on_wait);
  void fail_at_once();
  /// Number of operations that wait for room now.
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
