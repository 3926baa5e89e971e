#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace concerto::persist {

/// Runs jobs one after the other on a thread of its own, which starts with the first job and has a
/// low priority: what can wait gives way to the threads whose work somebody waits for. Thread-safe.
class BackgroundThread {
 public:
  BackgroundThread() = default;
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;
  /// Runs the jobs that are left.
  ~BackgroundThread();

  void run(std::function<void()> job);

 private:
  void run_jobs();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Gives the calling thread a low priority: a tenth of another thread's share where they compete
/// for a core. A core that is free it has for itself, and it cannot starve, for it may hold locks.
void lower_priority() noexcept;

/// Sleeps after a piece of background work that took `took`, so that others have the core and the
/// disk for most of the time; a slow disk is not made much slower.
void give_way(std::chrono::nanoseconds took);

}  // namespace concerto::persist
