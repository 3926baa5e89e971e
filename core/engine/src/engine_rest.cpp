// How a pass ends: until when the transaction rests, and what those hear who wait for the pass.

#include <algorithm>

#include <concerto/base/assert.hpp>

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
  CONCERTO_ASSERT(live.turn.is_taken && live.is_driven());
  const std::optional<seconds> delay = decide(live).delay;
  Pass& pass = live.pass;
  TransDelta delta;
  nanoseconds pause{};
  const WallTime now = clock_.wall_now();
  const bool repeats = live.state() == LiveTrans::State::repeating && !stopping_;
  if (repeats || stopping_) {
    // Resumed at once, here or after the restart.
  } else if (delay) {
    const nanoseconds waited = now - live.trans.submit_time.value_or(now);
    pause = *delay - std::clamp(waited, nanoseconds::zero(), nanoseconds(*delay));
    delta.schedule = Schedule{live.trans.next_cron_interval, now + pause, true};
  } else if (pass.rest) {
    const seconds base = reset_interval(live.trans.options, options_);
    const nanoseconds own = own_pause(live, now);
    const seconds interval = next_interval(live, base, own);
    pause = interval;
    if (*pass.rest == Rest::backoff) pause += jitter(interval, ports_.random);
    if (own > nanoseconds::zero()) pause = std::min(pause, own);
    delta.schedule = Schedule{interval, now + pause, true};
    journal_.set_next_try(live.gid, now + pause);
    const Outcome worst = pass.worst_outcome();
    if (worst == Outcome::error || worst == Outcome::failure) log_trouble(live, pause);
    if (*pass.rest == Rest::backoff && pass.worst && !pass.worst->url.empty()) {
      const std::string text = unknown_result(options_.wording, pass.worst->error);
      ports_.observer.branch_in_trouble(
          {live.trans, pass.worst->url, text, backoff_count(interval, base)});
    }
  }
  const bool rests = delta.schedule.has_value();
  if (rests || live.has_unsaved()) {
    CONCERTO_CO_CHECK(co_await commit(live, std::move(delta), Durability::progress));
  }
  const Result<> result = stopping_ ? Result<>(shut_down(live)) : answer(live);
  if (repeats && !stopping_) {
    live.enter(LiveTrans::State::driving);
    live.forget_results();
  } else {
    live.enter(LiveTrans::State::idle);
    const SteadyTime at = ports_.timers.now() + pause;
    const std::string_view target = delay ? std::string_view{} : silent_target(live);
    if (rests) {
      wakes_.set_wake(live.gid, at, target);
    } else {
      wakes_.set_next_alarm();
    }
  }
  const Outcome worst = pass.worst_outcome();
  end_pass(live, result, worst == Outcome::success || worst == Outcome::ongoing);
  co_return ok();
}

/// A success ends the backoff that was before it, and so does a request to try now.
bool Engine::begins_anew(const LiveTrans& live) noexcept {
  return live.pass.any_success || live.pass.begun == Pass::Begun::asked_for;
}

/// What is left until the transaction's own time after a try that came before it and failed, as
/// probes do: they do not move that time, or it would never come. Zero: the pass was its own try.
nanoseconds Engine::own_pause(const LiveTrans& live, WallTime now) noexcept {
  using Begun = Pass::Begun;
  const Begun begun = live.pass.begun;
  const bool early = begun == Begun::probing || begun == Begun::answered;
  if (*live.pass.rest != Rest::backoff || !early || begins_anew(live)) return nanoseconds::zero();
  return std::max<nanoseconds>(live.trans.next_cron_time - now, nanoseconds::zero());
}

/// The interval after a pass that ended in a rest.
seconds Engine::next_interval(const LiveTrans& live, seconds base, nanoseconds own_pause) const {
  const bool anew = begins_anew(live);
  return interval_after(own_pause > nanoseconds::zero() ? Rest::keep : *live.pass.rest,
                        anew ? base : live.trans.next_cron_interval, base, options_);
}

/// The target that the transaction is to wait for after this pass, empty if it waits for its time
/// alone.
std::string_view Engine::silent_target(const LiveTrans& live) {
  const Pass& pass = live.pass;
  if (!pass.met_error()) return {};
  // It was woken because this target answered, and got no answer.
  const std::string& target = pass.worst->target;
  const bool cut_short = pass.begun == Pass::Begun::answered && pass.slot == target;
  return cut_short ? std::string_view{} : std::string_view(target);
}

void Engine::end_pass(LiveTrans& live, Result<> result, bool without_error) {
  Pass& pass = live.pass;
  if (!pass.slot.empty()) {
    using Use = TargetSlots::Use;
    // It may have ended without an answer: by a decision that came while the call ran.
    Use use = std::exchange(pass.slot_answered, false) ? Use::answered : Use::unused;
    if (pass.met_error()) use = Use::failed;
    wakes_.give_back_slot(std::exchange(pass.slot, {}), use);
  }
  pass.woken_by.reset();
  pass.begun = Pass::Begun::in_turn;
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
    const std::optional<Trouble>& worst = live.pass.worst;
    const Outcome outcome = live.pass.worst_outcome();
    if (outcome == Outcome::failure) {
      return make_error(Errc::branch_failure, unknown_result(options_.wording, worst->error));
    }
    if (outcome == Outcome::error)
      return Error{worst->error.code, unknown_result(options_.wording, worst->error)};
    if (outcome == Outcome::ongoing && reports == Reports::errors_and_ongoing) {
      return make_error(Errc::branch_ongoing, "ONGOING");
    }
  }
  if (!trans.rollback_reason.empty()) {
    return make_error(Errc::trans_failed, with_failure_suffix(trans.rollback_reason));
  }
  return make_error(Errc::result_not_success, std::string(options_.wording.not_success));
}

}  // namespace concerto
