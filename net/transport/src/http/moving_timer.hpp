#pragma once

#include <functional>
#include <utility>

#include <concerto/base/timers.hpp>

namespace concerto::net {

/// A time limit that moves with every message. To move it later costs an assignment: the timer
/// keeps its time, and is set anew when it is due. Calls `on_expiry` at the limit or later.
class MovingTimer {
 public:
  MovingTimer(Timers& timers, std::function<void()> on_expiry)
      : timers_(timers), on_expiry_(std::move(on_expiry)), timer_(timers, [this] { fired(); }) {}

  void expire_at(SteadyTime at) {
    limit_ = at;
    if (at < set_for_) set(at);
  }

  void disarm() { limit_ = SteadyTime::max(); }

  /// Removes the limit and cancels the timer.
  void cancel() {
    limit_ = set_for_ = SteadyTime::max();
    timer_.cancel();
  }

 private:
  void set(SteadyTime at) {
    set_for_ = at;
    timer_.set(at);
  }

  void fired() {
    set_for_ = SteadyTime::max();
    if (limit_ == SteadyTime::max()) return;
    if (timers_.now() < limit_) {
      set(limit_);
    } else {
      limit_ = SteadyTime::max();
      on_expiry_();
    }
  }

  Timers& timers_;
  std::function<void()> on_expiry_;
  SteadyTime limit_ = SteadyTime::max();
  SteadyTime set_for_ = SteadyTime::max();
  Timer timer_;
};

}  // namespace concerto::net
