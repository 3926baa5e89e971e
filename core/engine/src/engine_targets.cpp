// Transactions and the services they call: who may work on one target at a time, and who is tried
// again when a target that did not answer answers.
//
// A transaction rests because of a target when a call to that target ended its pass in an error;
// of several targets it is the one whose error came last. `Alarms` keeps those that rest by their
// targets, so nothing is kept here, and a transaction that meets no error comes nowhere near it.
//
// Any call that a target answers wakes those that wait for it, as many as `TargetSlots` has room
// for; each that is answered in turn wakes more. One that fails wakes nobody and waits for its own
// time from then on: however often a target changes its mind, a pause is cut short once. As
// nobody might call a target while all rest for long, one of them is tried for all others at
// intervals.

#include <concerto/base/assert.hpp>

#include "engine.hpp"

namespace concerto {

/// Before the first call of a woken transaction: takes a slot of its target, or lets the
/// transaction wait in line for one, which ends its driver.
bool Engine::claim_target(LiveTrans& live, const Next& next) {
  Pass& pass = live.pass;
  if (live.state() != LiveTrans::State::woken) return true;
  CONCERTO_ASSERT(pass.woken_by.has_value());
  const Transaction& trans = live.trans;
  const std::string_view target = call_target(
      next.ask_initiator ? trans.query_prepared : trans.branches[next.calls.front()].url);
  if (target.empty()) return true;  // Nobody is called; the next call may go somewhere.
  Alarms::Due due = std::move(*pass.woken_by);
  pass.woken_by.reset();
  if (!pass.slot.empty() || slots_.take(target, std::move(due))) {
    if (pass.slot.empty()) pass.slot = target;
    live.enter(LiveTrans::State::driving);
    return true;
  }
  queued_count_.store(slots_.waiting(), std::memory_order_relaxed);
  return false;
}

void Engine::give_back_slot(std::string target, TargetSlots::Use use) {
  for (Alarms::Due& due : slots_.give_back(target, use)) start_wake(std::move(due), target);
  queued_count_.store(slots_.waiting(), std::memory_order_relaxed);
  if (use == TargetSlots::Use::answered && alarms_.any_waits()) wake_waiting(target);
}

/// The target has answered.
void Engine::wake_waiting(std::string_view target) {
  if (stopping_) return;
  while (alarms_.waiting_for(target) > 0 && slots_.take_free(target)) {
    wake_one(target, Alarms::Cause::answer);
  }
  set_next_alarm();
}

/// Somebody waits for the target, and a slot of it is taken.
void Engine::wake_one(std::string_view target, Alarms::Cause cause) {
  std::string slot(target);  // The alarms may forget the target.
  auto due = alarms_.pop_waiting(target, cause, ports_.timers.now());
  start_wake(std::move(*due), std::move(slot));
}

/// Sets the wake of a transaction that rests because of a target.
void Engine::wait_for_target(const Gid& gid, SteadyTime at, std::string_view target) {
  alarms_.set_wake(gid, at, target);
  if (stopping_ || probe_timer_.is_set()) return;
  probe_timer_.set(ports_.timers.now() + options_.retry_interval);
}

/// Tries one transaction for all that wait for the same target. One that is alone keeps to its
/// own time, which grows with its errors.
void Engine::probe_targets() {
  constexpr std::size_t waiting_min = 2;
  if (stopping_ || !alarms_.any_waits()) return;
  for (const std::string& target : alarms_.targets_with(waiting_min)) {
    if (slots_.has_taken(target)) continue;  // It is being tried.
    if (slots_.take_free(target)) wake_one(target, Alarms::Cause::probe);
  }
  set_next_alarm();
  probe_timer_.set(ports_.timers.now() + options_.retry_interval);
}

}  // namespace concerto
