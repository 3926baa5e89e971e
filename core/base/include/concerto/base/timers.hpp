#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/io_thread.hpp>
#include <concerto/base/notifier.hpp>

namespace concerto {

class Timer;

/// The timers of one shard: any number of Timer objects share a single timer of the io_context.
///
/// Setting, moving and cancelling a timer takes O(log n) and no allocation. The function of a
/// timer is called at its time by the Clock or later, never earlier. Make all calls on the shard's
/// thread; two threads that run the io_context at the same time end the process (ThreadCheck).
class CONCERTO_EXPORT Timers {
 public:
  /// `clock` must outlive this object.
  Timers(Executor executor, const Clock& clock);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  const Clock& clock() const noexcept { return clock_; }
  SteadyTime now() const noexcept { return clock_.steady_now(); }

  /// Calls the functions of all timers that are due. The io_context's timer calls run_due; tests
  /// with a fake clock call it after they have moved the clock.
  void run_due();

  /// If no timer is set, lets the io_context run out of work; otherwise changes nothing.
  void disarm();

  /// Time of the earliest timer; SteadyTime::max() if no timer is set.
  SteadyTime earliest() const noexcept;

  std::size_t size() const noexcept { return heap_.size(); }

  /// For other objects of the shard, to check their thread with.
  ThreadCheck& thread() noexcept { return thread_; }

 private:
  friend class Timer;

  void add(Timer& timer);
  void remove(Timer& timer);
  void place(std::size_t index, Timer* timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  void arm();

  const Clock& clock_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer_;
  SteadyTime armed_for_ = SteadyTime::max();
  ThreadCheck thread_;
  std::vector<Timer*> heap_;
};

/// One timer of Timers. Its destructor cancels it. `on_due` may set the timer again or destroy it.
class CONCERTO_EXPORT Timer {
 public:
  Timer(Timers& timers, std::function<void()> on_due)
      : timers_(timers), on_due_(std::move(on_due)) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Sets the time, in place of an earlier one. SteadyTime::max() means never.
  void set(SteadyTime at);
  void cancel();
  bool is_set() const noexcept { return index_ != npos; }

 private:
  friend class Timers;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  Timers& timers_;
  std::function<void()> on_due_;
  SteadyTime at_;
  std::size_t index_ = npos;
};

/// Waits until `at`. Returns false if the wait is cancelled.
CONCERTO_EXPORT Task<bool> sleep_until(Timers& timers, SteadyTime at);

}  // namespace concerto
