#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto {

/// Groups the requests that reset many transactions into rounds. A round visits each waiting
/// transaction at most once, in as many requests as that takes: a transaction that was visited may
/// fail and wait again before all others were visited. Thread-safe.
class ResetRounds {
 public:
  /// A request that comes later than this after the request before it begins a new round.
  static constexpr std::chrono::minutes gap_max{1};

  /// The round of a request. A new round begins if the last one has ended, had another `beyond`, or
  /// had no request for longer than `gap_max`.
  std::uint64_t join(std::chrono::seconds beyond, SteadyTime now) {
    const MutexLock lock(mutex_);
    if (ended_ || beyond != beyond_ || now - last_ > gap_max) ++round_;
    ended_ = false;
    beyond_ = beyond;
    last_ = now;
    return round_;
  }

  /// Ends a round: all its transactions were visited, or it cannot go on.
  void end(std::uint64_t round) {
    const MutexLock lock(mutex_);
    ended_ = ended_ || round == round_;
  }

 private:
  Mutex mutex_;
  std::uint64_t round_ CONCERTO_GUARDED_BY(mutex_) = 0;
  bool ended_ CONCERTO_GUARDED_BY(mutex_) = true;
  std::chrono::seconds beyond_ CONCERTO_GUARDED_BY(mutex_){};
  SteadyTime last_ CONCERTO_GUARDED_BY(mutex_){};
};

}  // namespace concerto
