#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto {

/// Which round of resets a request belongs to. A round visits each waiting transaction at most
/// once, over as many requests as that takes: those that were visited fail and wait again while
/// the others still wait for their turn. Thread-safe.
class ResetRounds {
 public:
  /// A request that comes later than this after the one before it is of another round.
  static constexpr std::chrono::minutes gap_max{1};

  /// The round that a request joins. It begins a new one when the last one has ended, was of
  /// another `beyond`, or was left alone for longer than `gap_max`.
  std::uint64_t join(std::chrono::seconds beyond, SteadyTime now) {
    const MutexLock lock(mutex_);
    if (ended_ || beyond != beyond_ || now - last_ > gap_max) ++round_;
    ended_ = false;
    beyond_ = beyond;
    last_ = now;
    return round_;
  }

  /// All of its transactions were visited, or it cannot go on.
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
