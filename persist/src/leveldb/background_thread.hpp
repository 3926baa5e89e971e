#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <thread>

#include <concerto/base/error.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto::persist {

/// Runs jobs one after the other on a thread of its own with a low priority: what can wait gives
/// way to the threads whose work somebody waits for. Jobs wait until it is started. Thread-safe.
class BackgroundThread {
 public:
  BackgroundThread() = default;
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;
  /// Runs the jobs that are left, if it was started.
  ~BackgroundThread();

  /// Before or after jobs come, once. Errors: overloaded.
  Result<> start();

  void run(std::function<void()> job);

 private:
  void run_jobs();

  Mutex mutex_;
  ConditionVariable arrived_;
  std::deque<std::function<void()>> jobs_ CONCERTO_GUARDED_BY(mutex_);
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

/// Gives the calling thread a low priority: a tenth of another thread's share where they compete
/// for a core. A core that is free it has for itself, and it cannot starve, for it may hold locks.
void lower_priority() noexcept;

/// How background work shares core and disk with what somebody waits for: it pauses after each
/// piece. Where logs fill fast the pauses are short, for the work has to keep up. Thread-safe.
class BackgroundPace {
 public:
  /// A log is begun: the time since the last one is what it took to fill.
  void log_begun(std::chrono::steady_clock::time_point now) noexcept;
  /// How long to pause after a piece of work that took `took`.
  std::chrono::nanoseconds pause_after(std::chrono::nanoseconds took) const noexcept;

 private:
  static constexpr std::chrono::nanoseconds at_most = std::chrono::milliseconds{4};

  std::atomic<std::chrono::steady_clock::time_point> begun_ = {};
  std::atomic<std::chrono::nanoseconds> longest_ = at_most;
};

}  // namespace concerto::persist
