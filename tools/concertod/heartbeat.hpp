#pragma once

#include <atomic>
#include <chrono>

#include <concerto/base/timers.hpp>

namespace concerto::tools {

/// Shows whether a shard's thread still runs: the thread notes the time every second.
class Heartbeat {
 public:
  explicit Heartbeat(Timers& timers) : timers_(timers), timer_(timers, [this] { beat(); }) {}

  /// Runs on the shard until `stop` is called or the timers are disarmed.
  void beat() {
    last_.store(timers_.now(), std::memory_order_relaxed);
    timer_.set(timers_.now() + std::chrono::seconds(1));
  }
  void stop() { timer_.cancel(); }

  /// The time since the last beat; 0 before the first beat. Any thread may call this.
  std::chrono::nanoseconds silence(SteadyTime now) const noexcept {
    const SteadyTime last = last_.load(std::memory_order_relaxed);
    return last == SteadyTime{} || last > now ? std::chrono::nanoseconds{} : now - last;
  }

 private:
  Timers& timers_;
  std::atomic<SteadyTime> last_{SteadyTime{}};
  Timer timer_;
};

}  // namespace concerto::tools
