#pragma once

#include <atomic>
#include <string>
#include <utility>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::persist {

/// Remembers the first failed write of an environment; after it nothing more is written. Later
/// writes get the reason from here, because LevelDB does not always pass it on. Thread-safe.
class FirstFailure {
 public:
  bool happened() const noexcept { return happened_.load(std::memory_order_relaxed); }
  void note(const Error& error) {
    const MutexLock lock(mutex_);
    if (!happened_.exchange(true)) text_ = error.detail;
  }
  /// The error of a write that is not attempted any more.
  Error again() const {
    const MutexLock lock(mutex_);
    return make_error(EngineErrc::store_failed, "nothing is written after a failure: " + text_);
  }

 private:
  std::atomic<bool> happened_ = false;
  mutable Mutex mutex_;
  std::string text_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::persist
