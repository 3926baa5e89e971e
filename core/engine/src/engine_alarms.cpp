// When transactions at rest are looked at again, and what a restart resumes.

#include <algorithm>

#include <concerto/base/assert.hpp>

#include "engine.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

/// At a stop whose time is over.
constexpr std::chrono::milliseconds cancel_again_after{100};

/// Wall time that has passed; a clock that went back counts as none.
nanoseconds elapsed(WallTime from, WallTime to) {
  return std::max(to - from, nanoseconds::zero());
}

/// How long a resting transaction rests after a start: until its time, and no longer than it was
/// to rest when it began to. So a clock that was ahead when that time was stored, and is not any
/// more, does not keep it.
nanoseconds rest_after_start(const ActiveTrans& active, const Mode& mode, WallTime now) {
  const nanoseconds left = elapsed(now, active.next_cron_time);
  nanoseconds most = active.next_cron_interval + jitter_max(active.next_cron_interval);
  if (left <= most) return left;
  // It may be the delay of a msg, which is not an interval.
  const auto custom = parse_custom_data(mode, active.custom_data, 0);
  const bool delayed =
      custom && active.submit_time && active.next_cron_time <= *active.submit_time + custom->delay;
  if (delayed) most = std::max<nanoseconds>(most, custom->delay);
  return std::min(left, most);
}

Pass::Begun begun_by(Alarms::Cause cause) noexcept {
  using Begun = Pass::Begun;
  if (cause == Alarms::Cause::probe) return Begun::probing;
  return cause == Alarms::Cause::answer ? Begun::answered : Begun::in_turn;
}

}  // namespace

seconds Engine::timeout_of(const Transaction& trans, const Mode& mode) const {
  if (trans.options.timeout_to_fail.count() > 0) return trans.options.timeout_to_fail;
  return mode.has_default_timeout ? options_.timeout_to_fail : seconds::zero();
}

void Engine::arm_timeout(const LiveTrans& live) {
  const Transaction& trans = live.trans;
  const seconds timeout = timeout_of(trans, *live.mode);
  if (trans.status != live.mode->times_out_in || timeout.count() == 0) return;
  const nanoseconds left = timeout - elapsed(trans.create_time, clock_.wall_now());
  wakes_.set_timeout(trans.gid, ports_.timers.now() + std::max(left, nanoseconds::zero()));
}

/// `slot`: the target at which a slot was kept for the transaction, if one was.
Task<void> Engine::wake(Alarms::Due due, std::string slot) {
  co_await asio::this_coro::throw_if_cancelled(false);
  {
    Turn turn = co_await enter(due.gid);
    LiveTrans& live = *turn;
    const Result<> loaded = co_await load(live);
    if (!loaded) {
      log_limited(LogLevel::error, live, "transactions that cannot be read",
                  "cannot be read: " + loaded.error().detail + "; next try in " +
                      std::to_string(options_.retry_interval.count()) + " s");
      const SteadyTime next = ports_.timers.now() + options_.retry_interval;
      if (due.wake) wakes_.set_wake(live.gid, next);
      if (due.timeout) wakes_.set_timeout(live.gid, next);
    } else if (live.knowledge == LiveTrans::Knowledge::present && !is_final(live.trans.status)) {
      const Transaction& trans = live.trans;
      if (trans.status == live.mode->times_out_in) {
        // A prepared transaction rests only after its time has come.
        live.timed_out |= due.timeout || (trans.status == TransStatus::prepared && trans.parked);
        // After a change that was not stored: its alarm has rung already, or was never set.
        const bool has_alarm = wakes_.alarms().timeout_of(live.gid) != SteadyTime::max();
        if (!live.timed_out && !has_alarm) arm_timeout(live);
      }
      if (!live.is_driven()) {
        CONCERTO_ASSERT(live.pass.slot.empty());
        live.delay_over = due.wake;
        live.pass.slot = std::exchange(slot, {});
        const Pass::Begun begun = begun_by(due.cause);
        live.pass.woken_by = std::move(due);
        start_driver(live, begun);
      } else if (due.timeout) {
        // The decision does not wait for the call that runs.
        ignore_error(co_await settle(live), "the driver meets the same error");
        live.progressed.notify_all();
      }
    }
  }
  wakes_.ended(std::move(slot));
}

Task<void> Engine::begin_recovery() {
  ended_.emplace();
  co_return;
}

Task<void> Engine::recover(std::vector<ActiveTrans> transactions) {
  for (const ActiveTrans& active : transactions) {
    if (const Mode* mode = modes_.find(active.type)) {
      recover_one(active, *mode);
    } else if (admits_line(LogLevel::warn, "transactions of unknown types")) {
      ports_.observer.log(LogLevel::warn, active.gid.view(),
                          "left alone: its type is not in this version");
    }
  }
  ended_.reset();
  co_return;
}

/// A request may have been faster, and the store have listed the transaction as it was before. Its
/// alarms are set nevertheless: a request sets none of those that it has nothing to do with.
void Engine::recover_one(const ActiveTrans& active, const Mode& mode) {
  using Knowledge = LiveTrans::Knowledge;
  if (ended_ && ended_->contains(active.gid)) return;
  const LiveTrans* live = live_.find(active.gid);
  if (live != nullptr && live->knowledge == Knowledge::absent) return;
  const bool is_known = live != nullptr && live->knowledge == Knowledge::present;
  const TransStatus status = is_known ? live->trans.status : active.status;
  if (is_final(status)) return;
  const bool is_counted = live != nullptr && live->counted;
  if (!is_counted && wakes_.add(active.gid, active.type, active.create_time)) {
    count_unfinished(active.type, +1);
  }
  const WallTime now = clock_.wall_now();
  const SteadyTime steady = ports_.timers.now();
  seconds timeout = active.timeout_to_fail;
  if (timeout.count() == 0 && mode.has_default_timeout) timeout = options_.timeout_to_fail;
  if (status == mode.times_out_in && timeout.count() > 0) {
    const nanoseconds left = timeout - elapsed(active.create_time, now);
    wakes_.set_timeout(active.gid, steady + std::max(left, nanoseconds::zero()));
  }
  const bool is_driven = live != nullptr && live->is_driven();
  if (is_driven || wakes_.alarms().wake_of(active.gid) != SteadyTime::max()) return;
  if (active.parked) {
    wakes_.set_wake(active.gid, steady + rest_after_start(active, mode, now));
  } else if (status != TransStatus::prepared) {
    wakes_.set_wake(active.gid, steady);
  }
}

Task<bool> Engine::pause_until(SteadyTime at) {
  if (at > ports_.timers.now()) co_await sleep_until(ports_.timers, at);
  co_return !stopping_;
}

Task<Engine::Waking> Engine::take_waking(seconds beyond, std::size_t limit, std::uint64_t round) {
  return wakes_.take_waking(beyond, limit, round);
}

Task<void> Engine::set_limits(CoordinatorLimits limits) {
  static_cast<CoordinatorLimits&>(options_) = limits;
  wakes_.set_limits(limits);
  journal_.set_max(limits.journal_transactions_max);
  co_return;
}

Task<void> Engine::begin_stop() {
  stopping_ = true;
  wakes_.stop();
  progress_timer_.cancel();
  log_timer_.cancel();
  tasks_.spawn(save_progress());
  live_.for_each([](LiveTrans& live) { live.progressed.notify_all(); });
  co_return;
}

Task<void> Engine::finish_stop(SteadyTime deadline) {
  // A cancellation that comes between two waits of a coroutine is lost on it: hence more than one.
  Timer overdue(ports_.timers, [this, &overdue] {
    tasks_.cancel();
    overdue.set(ports_.timers.now() + cancel_again_after);
  });
  overdue.set(deadline);
  co_await tasks_.join();
  // The io_context of whoever embeds this need not wait for a deadline that was met.
  overdue.cancel();
  report_left_out(SteadyTime::max());
  ports_.timers.disarm();
}

}  // namespace concerto
