#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <thread>

#include <concerto/base/error.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto::persist {

/// Runs jobs one after the other on a thread of its own. The thread has a low priority, so that
/// work that can wait gives way to threads for which somebody waits. Jobs added before `start` wait
/// for it. Thread-safe.
class BackgroundThread {
 public:
  BackgroundThread() = default;
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;
  /// Runs the remaining jobs, if the thread was started.
  ~BackgroundThread();

  /// Starts the thread. Call it once; jobs may be added before. Errors: overloaded.
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

/// Gives the calling thread a low priority: a tenth of another thread's share if the two compete
/// for a core. If a core is free, the thread runs without limit. The thread always gets some time,
/// because it may hold locks for which others wait.
void lower_priority() noexcept;

/// How background work shares core and disk with work for which somebody waits: it pauses after
/// each piece. While logs fill fast, the pauses are short, because the work has to keep up.
/// Thread-safe.
class BackgroundPace {
 public:
  /// Call it when a log begins. The time since the previous call is how long the last log took to
  /// fill.
  void log_begun(std::chrono::steady_clock::time_point now) noexcept;
  /// How long to pause after a piece of work that took `took`.
  std::chrono::nanoseconds pause_after(std::chrono::nanoseconds took) const noexcept;

 private:
  static constexpr std::chrono::nanoseconds at_most = std::chrono::milliseconds{4};

  std::atomic<std::chrono::steady_clock::time_point> begun_ = {};
  std::atomic<std::chrono::nanoseconds> longest_ = at_most;
};

}  // namespace concerto::persist
