#include "background_thread.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include <sys/resource.h>

#include <concerto/base/start_thread.hpp>

namespace concerto::persist {

BackgroundThread::~BackgroundThread() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<> BackgroundThread::start() {
  return start_thread(thread_, "for the store's background work", [this] { run_jobs(); });
}

void BackgroundThread::run(std::function<void()> job) {
  {
    const MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  arrived_.notify_one();
}

void BackgroundThread::run_jobs() {
  lower_priority();
  UniqueLock lock(mutex_);
  for (;;) {
    while (!stopping_ && jobs_.empty()) arrived_.wait(lock);
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

void lower_priority() noexcept {
  constexpr int steps = 10;
  // Linux lets setpriority change a single thread, and limits the number to the allowed range. A
  // thread may always lower its own priority. If the call fails nevertheless, the work is done all
  // the same.
  const auto thread = static_cast<id_t>(::gettid());
  (void)::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + steps);
}

void BackgroundPace::log_begun(std::chrono::steady_clock::time_point now) noexcept {
  // A table and the zeros of the next log make about a hundred pieces of work.
  constexpr int pauses_per_log = 200;
  longest_ =
      std::min<std::chrono::nanoseconds>((now - begun_.exchange(now)) / pauses_per_log, at_most);
}

std::chrono::nanoseconds BackgroundPace::pause_after(std::chrono::nanoseconds took) const noexcept {
  constexpr int times_as_long = 3;
  return std::min(times_as_long * took, longest_.load());
}

}  // namespace concerto::persist
