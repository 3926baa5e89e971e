// How a pass ends: until when the transaction rests, and what those hear who wait for the pass.

#include <algorithm>

#include "engine.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

std::string unknown_result(const Wording& wording, const Error& error) {
  return std::string(wording.unknown_result) + error.detail;
}

}  // namespace

Error Engine::shut_down(const LiveTrans& live) {
  return make_error(Errc::shutting_down, "the coordinator shut down before gid " + live.gid.str() +
                                             " ended; it goes on after a restart");
}

/// Ends a pass that did not finish the transaction: it rests in the store until its time.
Async<> Engine::rest(LiveTrans& live) {
  const std::optional<seconds> delay = decide(live).delay;
  TransDelta delta;
  nanoseconds pause{};
  const WallTime now = clock_.wall_now();
  if (live.again || stopping_) {
    // Resumed at once, here or after the restart.
  } else if (delay) {
    const nanoseconds waited = now - live.trans.submit_time.value_or(now);
    pause = *delay - std::clamp(waited, nanoseconds::zero(), nanoseconds(*delay));
    delta.schedule = Schedule{live.trans.next_cron_interval, now + pause, true};
  } else if (live.rest) {
    const seconds base = reset_interval(live.trans.options, options_);
    const nanoseconds own = own_pause(live, now);
    const seconds interval = next_interval(live, base, own);
    pause = interval;
    if (*live.rest == Rest::backoff) pause += jitter(interval, ports_.random);
    if (own > nanoseconds::zero()) pause = std::min(pause, own);
    delta.schedule = Schedule{interval, now + pause, true};
    journal_.set_next_try(live.gid, now + pause);
    if (live.worst == Outcome::error || live.worst == Outcome::failure) log_trouble(live, pause);
    if (*live.rest == Rest::backoff && !live.worst_url.empty()) {
      const std::string text = unknown_result(options_.wording, live.worst_error);
      ports_.observer.branch_in_trouble(
          {live.trans, live.worst_url, text, backoff_count(interval, base)});
    }
  }
  const bool rests = delta.schedule.has_value();
  if (rests || live.has_unsaved()) {
    CONCERTO_CO_CHECK(co_await commit(live, std::move(delta), Durability::progress));
  }
  const Result<> result = stopping_ ? Result<>(shut_down(live)) : answer(live);
  if (std::exchange(live.again, false) && !stopping_) {
    live.begin_pass();
  } else {
    live.driving = false;
    const SteadyTime at = ports_.timers.now() + pause;
    const std::string_view target = delay ? std::string_view{} : silent_target(live);
    if (rests && !target.empty()) {
      wait_for_target(live.gid, at, target);
    } else if (rests) {
      alarms_.set_wake(live.gid, at);
    }
    set_next_alarm();
  }
  end_pass(live, result, live.worst == Outcome::success || live.worst == Outcome::ongoing);
  co_return ok();
}

/// A success ends the backoff that was before it, and so does a request to try now.
bool Engine::begins_anew(const LiveTrans& live) noexcept {
  return live.any_success || live.begun == LiveTrans::Begun::asked_for;
}

/// What is left until the transaction's own time after a try that came before it and failed, as
/// probes do: they do not move that time, or it would never come. Zero: the pass was its own try.
nanoseconds Engine::own_pause(const LiveTrans& live, WallTime now) noexcept {
  using Begun = LiveTrans::Begun;
  const bool early = live.begun == Begun::probing || live.begun == Begun::answered;
  if (*live.rest != Rest::backoff || !early || begins_anew(live)) return nanoseconds::zero();
  return std::max<nanoseconds>(live.trans.next_cron_time - now, nanoseconds::zero());
}

/// The interval after a pass that ended in a rest.
seconds Engine::next_interval(const LiveTrans& live, seconds base, nanoseconds own_pause) const {
  const bool anew = begins_anew(live);
  return interval_after(own_pause > nanoseconds::zero() ? Rest::keep : *live.rest,
                        anew ? base : live.trans.next_cron_interval, base, options_);
}

/// The target that the transaction is to wait for after this pass, empty if it waits for its time
/// alone.
std::string_view Engine::silent_target(const LiveTrans& live) {
  if (live.worst != Outcome::error) return {};
  // It was woken because this target answered, and got no answer.
  const bool cut_short = live.begun == LiveTrans::Begun::answered && live.slot == live.worst_target;
  return cut_short ? std::string_view{} : std::string_view(live.worst_target);
}

void Engine::end_pass(LiveTrans& live, Result<> result, bool without_error) {
  if (!live.slot.empty()) {
    using Use = TargetSlots::Use;
    // It may have ended without an answer: by a decision that came while the call ran.
    Use use = std::exchange(live.slot_answered, false) ? Use::answered : Use::unused;
    if (live.worst == Outcome::error) use = Use::failed;
    give_back_slot(std::exchange(live.slot, {}), use);
  }
  live.woken_by.reset();
  live.begun = LiveTrans::Begun::in_turn;
  ports_.observer.pass_ended(live.trans, without_error);
  tell_waiters(live, std::move(result));
}

void Engine::tell_waiters(LiveTrans& live, Result<> result) {
  live.pass_result = std::move(result);
  ++live.passes;
  live.pass_ended.notify_all();
}

/// What a caller with wait_result hears after a pass (page 02, section 5.3).
Result<> Engine::answer(const LiveTrans& live) const {
  const Transaction& trans = live.trans;
  if (trans.status == TransStatus::succeed) return ok();
  const Reports reports = live.mode->reports;
  if (reports != Reports::nothing && !is_final(trans.status)) {
    const std::string text = unknown_result(options_.wording, live.worst_error);
    if (live.worst == Outcome::failure) return make_error(Errc::branch_failure, text);
    if (live.worst == Outcome::error) return Error{live.worst_error.code, text};
    if (live.worst == Outcome::ongoing && reports == Reports::errors_and_ongoing) {
      return make_error(Errc::branch_ongoing, "ONGOING");
    }
  }
  if (!trans.rollback_reason.empty()) {
    return make_error(Errc::trans_failed, with_failure_suffix(trans.rollback_reason));
  }
  return make_error(Errc::result_not_success, std::string(options_.wording.not_success));
}

}  // namespace concerto
