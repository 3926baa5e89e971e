#include "passes.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

#include "thrown.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

/// How many drivers may begin within each other.
constexpr std::uint32_t nested_max = 8;

/// When a transaction that a pause holds up looks again, should nobody wake it. After a paused
/// start it does so at the begin.
seconds held_up_wait(const ShardEnv& env) noexcept {
  return seconds(env.paused ? 0 : 600);
}

/// Counts until the end of the scope, also if a clock throws there.
class Nested {
 public:
  explicit Nested(std::uint32_t& count) : count_(count) { ++count_; }
  ~Nested() { --count_; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

 private:
  std::uint32_t& count_;
};

nanoseconds left_of_delay(const Transaction& trans, seconds delay, WallTime now) {
  const nanoseconds waited = now - trans.submit_time.value_or(now);
  return delay - std::clamp(waited, nanoseconds::zero(), nanoseconds(delay));
}

Error shut_down(const LiveTrans& live, bool is_shared) {
  return make_error(
      Errc::shutting_down,
      "the coordinator shut down before gid " + live.gid.str() + " ended; " +
          (is_shared ? "another coordinator on the store goes on with it, or this one "
                       "after a restart"
                     : "it goes on after a restart"));
}

Pass::Begun begun_by(Alarms::Cause cause) noexcept {
  using Begun = Pass::Begun;
  if (cause == Alarms::Cause::trial) return Begun::trial;
  return cause == Alarms::Cause::answer ? Begun::answered : Begun::on_time;
}

/// The error for the waiters of a pass that an error of the store has ended. Their own request was
/// stored before that. So store_busy, which means that nothing has changed, would be wrong.
Error pass_not_stored(const LiveTrans& live, Error error) {
  if (error.code != EngineErrc::store_busy) return error;
  return make_error(
      EngineErrc::store_failed,
      "gid " + live.gid.str() + " goes on when the store is less busy: " + error.detail);
}

/// Why a driver ends after a change that a request made: another coordinator works on the
/// transaction, or nobody knows what is stored.
Error change_was_lost(const LiveTrans& live) {
  if (live.knowledge == LiveTrans::Knowledge::others) return lease_lost(live.gid);
  return make_error(EngineErrc::store_failed,
                    "a change of gid " + live.gid.str() + " may not be stored");
}

}  // namespace

Passes::Passes(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, Leases& leases,
               Changes& changes, EngineLog& log, Journal& journal, TaskGroup& tasks)
    : env_(env),
      live_(live),
      loader_(loader),
      wakes_(wakes),
      leases_(leases),
      changes_(changes),
      log_(log),
      journal_(journal),
      tasks_(tasks),
      calls_(env, wakes, changes, log, journal, tasks) {}

void Passes::try_now(Turn turn) {
  using State = LiveTrans::State;
  LiveTrans& live = *turn;
  if (live.state() == State::idle) {
    // A branch in this process may begin the next transaction, and so on without end. A driver that
    // has to wait for its turn begins on a stack of its own.
    const Nested nested(nested_);
    const bool goes_deep = nested_ > nested_max;
    return start_driver(live, Pass::Begun::asked_for, goes_deep ? Turn() : std::move(turn));
  }
  if (live.state() == State::woken) live.enter(State::driving);
  live.pass.woken_by.reset();
}

void Passes::wake(LiveTrans& live, Alarms::Wake wake, std::string slot) {
  CONCERTO_ASSERT(live.turn.is_taken && live.pass.slot.empty() && !live.pass.woken_by);
  // A submitted transaction first waits for its delay. So when it is woken for its next pass, the
  // delay is over.
  const bool has_waited = live.trans.status == TransStatus::submitted && live.trans.waits;
  live.delay_over |= wake.next_pass && has_waited;
  live.pass.slot = std::move(slot);
  const Pass::Begun begun = begun_by(wake.cause);
  live.pass.woken_by = std::move(wake);
  start_driver(live, begun);
}

Async<> Passes::wait_for_pass(Pin pin, std::uint64_t seen, SteadyTime until) {
  LiveTrans& live = *pin;
  CONCERTO_ASSERT(live.passes >= seen);
  Timer timer(env_.ports.timers, [&live] { live.pass_ended.notify_all(); });
  timer.set(until);
  while (live.passes == seen) {
    if (env_.now() >= until) {
      co_return make_error(Errc::deadline_exceeded,
                           "gid " + live.gid.str() + " is still being processed");
    }
    const bool notified = co_await live.pass_ended.wait();
    if (!notified) co_return shutting_down();
  }
  co_return live.pass_result;
}

/// Precondition: the transaction has no driver. If it was woken, `pass.woken_by` says why.
void Passes::start_driver(LiveTrans& live, Pass::Begun begun, Turn turn) {
  const Pin pin(live_, live);
  live.enter(live.pass.woken_by ? LiveTrans::State::woken : LiveTrans::State::driving);
  live.pass.begun = begun;
  tracing_.begin_pass(live);
  if (const auto wake = wakes_.begin_pass(live.gid)) {
    // The alarm of the timeout was taken out and does not come a second time.
    live.timed_out |= wake->timeout && live.trans.status == live.mode->times_out_in;
  }
  loader_.arm_missing_timeout(live);
  live.forget_results();
  if (live.trans.submit_time) {
    live.delay_over |= env_.clock.wall_now() - *live.trans.submit_time >= live.custom.delay;
  }
  if (tasks_.spawn(drive(pin, std::move(turn)))) return;
  live.enter(LiveTrans::State::idle);
  end_pass(live, shut_down(live, env_.ownership != nullptr), false);
}

/// Decides what comes next and does it, over and over. Most transactions in memory await a call,
/// and hold this frame meanwhile: it must stay small.
Task<void> Passes::drive(Pin pin, Turn turn) {
  co_await asio::this_coro::throw_if_cancelled(false);
  LiveTrans& live = *pin;
  Result<> stored = ok();
  while (stored) {
    try {
      if (!turn.holds()) turn = live_.turn_if_free(pin);
      if (!turn.holds()) turn = co_await live_.take_turn(pin);
      if (live.knowledge != LiveTrans::Knowledge::present) {
        stored = change_was_lost(live);
        break;
      }
      if (env_.ownership != nullptr && leases_.is_short(live)) {
        stored = co_await leases_.hold(live);
        if (!stored) break;
      }
      if (env_.ownership != nullptr && leases_.others_may_call(live)) {
        turn.release();
        co_await leases_.wait_for_others(pin);
        continue;
      }
      const Move move = next_move(pin);
      switch (move.what) {
        case Move::What::change:
          stored = co_await change(live);
          break;
        case Move::What::save:
          stored = co_await changes_.commit_results(live, Durability::durable);
          break;
        case Move::What::call:
          turn.release();
          co_await calls_.call_branch(pin, move.branch, live.trans.status);
          break;
        case Move::What::started:
          break;
        case Move::What::await_calls:
          turn.release();
          co_await live.progressed.wait();
          break;
        case Move::What::wait:
          stored = co_await end_in_wait(live);
          if (stored && !live.is_driven()) co_return;
          break;
        case Move::What::end:
          co_return;
      }
    } catch (...) {  // of a mode, the clock or the random source
      stored = make_error(EngineErrc::store_failed, thrown_by("the pass"));
      log_.write_limited(LogLevel::error, live, "passes that threw", stored.error().detail);
    }
  }
  live.enter(LiveTrans::State::idle);
  if (stored.error().code != EngineErrc::lease_lost) {
    wakes_.set_next_pass(live.gid, env_.now() + env_.options.retry_interval);
  }
  end_pass(live, pass_not_stored(live, stored.error()), false);
}

/// Decides what the driver does next, and does what needs no waiting. The driver has the turn.
Passes::Move Passes::next_move(const Pin& pin) {
  using What = Move::What;
  LiveTrans& live = *pin;
  CONCERTO_ASSERT(live.turn.is_taken && live.is_driven());
  env_.ports.timers.thread().check();
  const Next next = decide(live);
  if (next.change) return {What::change};
  if (is_final(live.trans.status)) {
    live.enter(LiveTrans::State::idle);
    end_pass(live, answer(live), true);
    return {What::end};
  }
  live.pass.is_held_up = env_.paused || env_.pause_of(live.trans, *live.mode, next) != nullptr;
  if (live.pass.is_held_up) {
    leave_queue(live);
  } else if (!env_.stopping && (!next.calls.empty() || next.ask_application)) {
    if (!claim_target(live, next)) {
      live.enter(LiveTrans::State::idle);
      return {What::end};
    }
    if (next.needs_durable_successes && live.has_unsaved()) return {What::save};
    if (next.calls.size() != 1 || live.calls.running > 0) {
      calls_.start(pin, next);
      return {What::started};
    }
    const std::uint32_t index = next.calls.front();
    live.calls.begin(live.calls.runs[index]);
    return {What::call, index};
  }
  const bool runs = live.calls.running > 0 || (live.calls.pausing > 0 && !env_.stopping);
  return {runs ? What::await_calls : What::wait};
}

/// A woken transaction calls nobody.
void Passes::leave_queue(LiveTrans& live) {
  if (live.state() != LiveTrans::State::woken) return;
  live.pass.woken_by.reset();
  live.enter(LiveTrans::State::driving);
}

/// Before the first call of a woken transaction: takes a slot of the target. If none is free, the
/// transaction is queued, the result is false, and the driver must end.
bool Passes::claim_target(LiveTrans& live, const Next& next) {
  Pass& pass = live.pass;
  if (live.state() != LiveTrans::State::woken) return true;
  CONCERTO_ASSERT(pass.woken_by.has_value());
  const Transaction& trans = live.trans;
  const std::string_view target = call_target(
      next.ask_application ? trans.query_prepared : trans.branches[next.calls.front()].url);
  if (target.empty()) return true;  // No call is made. The next row may have a URL.
  Alarms::Wake wake = std::move(*pass.woken_by);
  pass.woken_by.reset();
  if (!pass.slot.empty() || wakes_.take_slot(target, std::move(wake))) {
    if (pass.slot.empty()) pass.slot = target;
    live.enter(LiveTrans::State::driving);
    return true;
  }
  return false;
}

Next Passes::decide(const LiveTrans& live) const {
  const seconds own = live.trans.options.timeout_to_fail;
  return live.mode->next(live.view(env_.timeout_of(own, *live.mode)));
}

/// Makes the change of status that the mode wants. No coroutine of its own: change_status is one.
Async<> Passes::change(LiveTrans& live) {
  Next next = decide(live);
  return changes_.change_status(live, std::move(next.change).value());
}

Async<> Passes::settle(LiveTrans& live) {
  while (decide(live).change) CONCERTO_CO_CHECK(co_await change(live));
  co_return ok();
}

/// Ends a pass that did not finish the transaction, which waits until its next pass.
Async<> Passes::end_in_wait(LiveTrans& live) {
  CONCERTO_ASSERT(live.turn.is_taken && live.is_driven());
  const std::optional<seconds> delay = decide(live).delay;
  Pass& pass = live.pass;
  TransDelta delta;
  nanoseconds wait{};
  const WallTime now = env_.clock.wall_now();
  const bool repeats = live.state() == LiveTrans::State::repeating && !env_.stopping;
  if (repeats || env_.stopping) {
    // The next pass follows at once, here or after the restart.
  } else if (pass.is_held_up || delay) {
    wait = pass.is_held_up ? held_up_wait(env_) : left_of_delay(live.trans, *delay, now);
    delta.schedule = Schedule{live.trans.next_cron_interval, now + wait, true};
  } else if (pass.interval_kind) {
    const seconds base = reset_interval(live.trans.options, env_.options);
    const nanoseconds own = own_wait(live, now);
    const seconds interval = next_interval(live, base, own);
    wait = interval;
    const bool backs_off = *pass.interval_kind == IntervalKind::backoff;
    if (backs_off) wait += jitter(interval, env_.ports.random);
    if (own > nanoseconds::zero()) wait = std::min(wait, own);
    delta.schedule = Schedule{interval, now + wait, true};
    journal_.set_next_try(live.gid, now + wait);
    const Outcome worst = pass.worst_outcome();
    if (worst == Outcome::error || worst == Outcome::failure) log_.write_trouble(live, wait);
    if (backs_off && pass.worst && !pass.worst->url.empty()) {
      const std::string text =
          std::string(env_.options.wording.unknown_result) + pass.worst->error.detail;
      env_.observer.branch_in_trouble(
          {live.trans, pass.worst->url, text, backoff_count(interval, base)});
    }
  }
  const bool waits = delta.schedule.has_value();
  std::optional<WallTime> rests_until;
  if (!repeats) rests_until = rest_after(live, delta);
  if (waits || live.has_unsaved() || rests_until) {
    CONCERTO_CO_CHECK(
        co_await changes_.commit(live, std::move(delta), Durability::progress, rests_until));
  }
  const Result<> result =
      env_.stopping ? Result<>(shut_down(live, env_.ownership != nullptr)) : answer(live);
  const bool goes_on = repeats && !env_.stopping;
  if (goes_on) {
    live.enter(LiveTrans::State::driving);
  } else {
    live.enter(LiveTrans::State::idle);
    const SteadyTime at = env_.now() + wait;
    const std::string_view target = delay ? std::string_view{} : silent_target(live);
    if (waits) {
      wakes_.set_next_pass(live.gid, at, target);
    } else {
      wakes_.set_next_alarm();
    }
  }
  const Outcome worst = pass.worst_outcome();
  end_pass(live, result, worst == Outcome::success || worst == Outcome::ongoing);
  if (goes_on) live.forget_results();
  co_return ok();
}

void Passes::end_pass(LiveTrans& live, Result<> result, bool without_error) {
  Pass& pass = live.pass;
  if (!pass.slot.empty()) {
    using Use = TargetSlots::Use;
    // There may have been no answer, if a decision came while the call ran.
    Use use = std::exchange(pass.slot_answered, false) ? Use::answered : Use::unused;
    if (pass.met_error()) use = Use::failed;
    wakes_.give_back_slot(std::exchange(pass.slot, {}), use);
  }
  pass.woken_by.reset();
  pass.begun = Pass::Begun::on_time;
  env_.observer.pass_ended(live.trans, without_error);
  tracing_.end_pass(live, result, without_error);
  tell_waiters(live, std::move(result));
}

void Passes::tell_waiters(LiveTrans& live, Result<> result) {
  live.pass_result = std::move(result);
  ++live.passes;
  live.pass_ended.notify_all();
}

}  // namespace concerto
