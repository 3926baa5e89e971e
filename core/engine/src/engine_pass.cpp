// Passes: what a mode wants is carried out until nothing runs and nothing may start.

#include <concerto/base/assert.hpp>
#include <concerto/base/masked_url.hpp>

#include "engine.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Of a transaction without a driver. What woke it, if something did, is in the pass already.
void Engine::start_driver(LiveTrans& live, Pass::Begun begun) {
  live.enter(live.pass.woken_by ? LiveTrans::State::woken : LiveTrans::State::driving);
  live.pass.begun = begun;
  if (const auto due = wakes_.begin_pass(live.gid)) {
    // Its timeout does not ring a second time.
    live.timed_out |= due->timeout && live.trans.status == live.mode->times_out_in;
  }
  live.forget_results();
  if (live.trans.submit_time) {
    live.delay_over |= clock_.wall_now() - *live.trans.submit_time >= live.custom.delay;
  }
  if (tasks_.spawn(drive(live_.pin(live.gid)))) return;
  live.enter(LiveTrans::State::idle);
  end_pass(live, shut_down(live), false);
}

/// Decides and carries it out, over and over. While a call runs, where a transaction mostly is,
/// this frame is all that it needs of the driver: it stays small.
Task<void> Engine::drive(Pin pin) {
  co_await asio::this_coro::throw_if_cancelled(false);
  LiveTrans& live = *pin;
  Turn turn;
  Result<> stored = ok();
  while (stored) {
    if (!turn.holds()) turn = live_.turn_if_free(pin);
    if (!turn.holds()) turn = co_await live_.take_turn(pin);
    const Move move = next_move(pin);
    switch (move.what) {
      case Move::What::change:
        stored = co_await settle(live);
        break;
      case Move::What::save:
        stored = co_await commit(live, TransDelta(), Durability::durable);
        break;
      case Move::What::call:
        turn.release();
        co_await call_branch(pin, move.branch, live.trans.status);
        break;
      case Move::What::started:
        break;
      case Move::What::wait:
        turn.release();
        co_await live.progressed.wait();
        break;
      case Move::What::rest:
        stored = co_await rest(live);
        if (stored && !live.is_driven()) co_return;
        break;
      case Move::What::end:
        co_return;
    }
  }
  live.enter(LiveTrans::State::idle);
  wakes_.set_wake(live.gid, ports_.timers.now() + options_.retry_interval);
  end_pass(live, pass_not_stored(live, stored.error()), false);
}

/// With the turn. What needs no waiting is done already.
Engine::Move Engine::next_move(const Pin& pin) {
  using What = Move::What;
  LiveTrans& live = *pin;
  CONCERTO_ASSERT(live.turn.is_taken && live.is_driven());
  const Next next = decide(live);
  if (next.change) return {What::change};
  if (is_final(live.trans.status)) {
    live.enter(LiveTrans::State::idle);
    end_pass(live, answer(live), true);
    return {What::end};
  }
  if (!stopping_ && (!next.calls.empty() || next.ask_application)) {
    if (!claim_target(live, next)) {
      live.enter(LiveTrans::State::idle);
      return {What::end};
    }
    if (next.needs_durable_successes && live.has_unsaved()) return {What::save};
    if (next.calls.size() != 1 || live.calls.running > 0) {
      start_calls(pin, next);
      return {What::started};
    }
    const std::uint32_t index = next.calls.front();
    live.calls.begin(live.calls.runs[index]);
    return {What::call, index};
  }
  const bool runs = live.calls.running > 0 || (live.calls.pausing > 0 && !stopping_);
  return {runs ? What::wait : What::rest};
}

/// Before the first call of a woken transaction: takes a slot of its target, or has the
/// transaction queued for one, which ends its driver.
bool Engine::claim_target(LiveTrans& live, const Next& next) {
  Pass& pass = live.pass;
  if (live.state() != LiveTrans::State::woken) return true;
  CONCERTO_ASSERT(pass.woken_by.has_value());
  const Transaction& trans = live.trans;
  const std::string_view target = call_target(
      next.ask_application ? trans.query_prepared : trans.branches[next.calls.front()].url);
  if (target.empty()) return true;  // Nobody is called; the next call may go somewhere.
  Alarms::Due due = std::move(*pass.woken_by);
  pass.woken_by.reset();
  if (!pass.slot.empty() || wakes_.take_slot(target, std::move(due))) {
    if (pass.slot.empty()) pass.slot = target;
    live.enter(LiveTrans::State::driving);
    return true;
  }
  return false;
}

Next Engine::decide(const LiveTrans& live) const {
  return live.mode->next(live.view(timeout_of(live.trans, *live.mode)));
}

/// Makes the changes that the mode wants, until it wants none.
Async<> Engine::settle(LiveTrans& live) {
  for (;;) {
    Next next = decide(live);
    if (!next.change) co_return ok();
    CONCERTO_CO_CHECK(co_await change_status(live, std::move(*next.change)));
  }
}

void Engine::start_calls(const Pin& pin, const Next& next) {
  LiveTrans& live = *pin;
  for (const std::uint32_t index : next.calls) {
    RunState& run = live.calls.runs[index];
    live.calls.begin(run);
    if (!tasks_.spawn(call_branch(pin, index, live.trans.status))) {
      live.calls.end(run, RunState::tried);
    }
  }
  if (next.ask_application) {
    live.calls.begin(live.calls.query);
    if (!tasks_.spawn(call_application(pin, live.trans.status))) {
      live.calls.end(live.calls.query, RunState::tried);
    }
  }
}

/// Fills in what all calls of a transaction have in common. Returns the time of its start. Not one
/// coroutine with the call and end_call: its frame would wait as long as the call does.
SteadyTime Engine::begin_call(const LiveTrans& live, BranchCall& call) const {
  const seconds own = live.trans.options.request_timeout;
  const SteadyTime start = ports_.timers.now();
  call.gid = &live.gid;
  call.mode = live.mode;
  call.protocol = live.trans.protocol;
  call.headers = &live.trans.options.branch_headers;
  call.deadline = start + (own.count() > 0 ? own : options_.request_timeout);
  return start;
}

/// Texts of errors name URLs, and go to clients, logs, alerts and the journal.
void Engine::end_call(LiveTrans& live, const BranchCall& call, BranchReply& reply,
                      SteadyTime start) {
  const nanoseconds took = ports_.timers.now() - start;
  if (!reply.error.detail.empty()) reply.error.detail = masked_urls(reply.error.detail);
  if (!reply.full_text.empty()) reply.full_text = masked_urls(reply.full_text);
  ports_.observer.branch_called(call, reply, took);
  if (reply.outcome != Outcome::success || journal_.has(*call.gid)) keep_attempt(call, reply, took);
  if (reply.outcome == Outcome::error) return;
  Pass& pass = live.pass;
  pass.slot_answered |= !pass.slot.empty() && pass.slot == call_target(call.url);
  if (wakes_.any_waits_for_target()) wakes_.wake_waiting(call_target(call.url));
}

void Engine::keep_attempt(const BranchCall& call, const BranchReply& reply, nanoseconds took) {
  Attempt attempt;
  attempt.time = clock_.wall_now() - took;
  attempt.branch_id = call.branch_id;
  attempt.op = call.op;
  attempt.url = masked_url(call.url);
  attempt.took = took;
  attempt.outcome = reply.outcome;
  attempt.answer = reply.full_text.empty() ? reply.error.detail : reply.full_text;
  journal_.add(*call.gid, std::move(attempt));
}

Task<void> Engine::call_branch(Pin pin, std::uint32_t index, TransStatus called_in) {
  LiveTrans& live = *pin;
  const Branch& branch = live.trans.branches[index];
  BranchCall request;
  request.branch_id = branch.branch_id.view();
  request.op = branch.op;
  request.url = branch.url;
  request.payload = live.trans.payloads[branch.payload];
  BranchReply reply{Outcome::success, {}};  // of a call to nobody (page 04, section 1)
  // A decision may have come between the start of this task and now.
  if (live.trans.status == called_in && !request.url.empty()) {
    const SteadyTime start = begin_call(live, request);
    reply = co_await ports_.branches.call(request);
    end_call(live, request, reply, start);
  }
  record(pin, index, called_in, std::move(reply));
  live.progressed.notify_all();
}

Task<void> Engine::call_application(Pin pin, TransStatus called_in) {
  LiveTrans& live = *pin;
  BranchCall request;
  const bool asks = live.mode->application_call == ApplicationCall::asks;
  request.branch_id = "00";
  request.op = asks ? live.mode->name : std::string_view(live.custom.name);
  request.url = live.trans.query_prepared;
  request.payload = live.custom.data;
  if (asks && request.url.empty()) {
    log_limited(LogLevel::warn, live, std::string(live.mode->name) + " without query_prepared",
                "has no query_prepared and is taken as committed after its timeout");
  }
  BranchReply reply{Outcome::success, {}};
  if (live.trans.status == called_in && !request.url.empty()) {
    const SteadyTime start = begin_call(live, request);
    reply = co_await ports_.branches.call(request);
    end_call(live, request, reply, start);
  }
  record_query(live, called_in, std::move(reply));
  live.progressed.notify_all();
}

void Engine::record(const Pin& pin, std::uint32_t index, TransStatus called_in, BranchReply reply) {
  LiveTrans& live = *pin;
  RunState& run = live.calls.runs[index];
  if (live.trans.status != called_in) {
    // The status was decided while the call ran; its result is too late.
    return live.calls.end(run, RunState::idle);
  }
  live.calls.end(run, RunState::tried);
  Branch& branch = live.trans.branches[index];
  const auto conclude = [&](BranchStatus status) {
    const WallTime now = clock_.wall_now();
    branch.status = status;
    branch.update_time = branch.finish_time = now;
    live.unsaved.push_back({index, status, now});
    mark_unsaved(live);
  };
  std::optional<nanoseconds> soon;
  switch (live.mode->effect(live.trans, branch, reply.outcome)) {
    case Effect::succeed:
      conclude(BranchStatus::succeed);
      live.pass.any_success = true;
      return;
    case Effect::fail:
      conclude(BranchStatus::failed);
      live.failure_text = std::move(reply.error.detail);
      return;
    case Effect::retry_soon:
      ++live.trans.retry_count;
      live.retry_count_unsaved = true;
      mark_unsaved(live);
      run = RunState::pausing;
      ++live.calls.pausing;
      journal_.set_next_try(live.gid, clock_.wall_now() + retry_pause(live.trans.retry_count));
      soon = retry_pause(live.trans.retry_count);
      if (!tasks_.spawn(pause_branch(pin, index))) live.calls.end_pause();
      break;
    case Effect::give_up:
      live.pass.retries_exhausted = true;
      break;
    case Effect::retry_later:
      break;
  }
  const bool is_ongoing = reply.outcome == Outcome::ongoing;
  note_outcome(live, std::move(reply), index, is_ongoing ? Rest::keep : Rest::backoff);
  if (soon && !is_ongoing) log_trouble(live, *soon);
}

void Engine::record_query(LiveTrans& live, TransStatus called_in, BranchReply reply) {
  live.calls.end(live.calls.query, RunState::tried);
  if (live.trans.status != called_in) return;
  live.pass.query_outcome = reply.outcome;
  const bool is_answer = reply.outcome == Outcome::success || reply.outcome == Outcome::failure;
  if (is_answer && live.mode->application_call == ApplicationCall::asks) return;
  const Rest kind = reply.outcome == Outcome::error ? Rest::backoff : Rest::reset;
  note_outcome(live, std::move(reply), std::nullopt, kind);
}

/// `index`: the branch that was called, absent if the application was.
void Engine::note_outcome(LiveTrans& live, BranchReply reply, std::optional<std::uint32_t> index,
                          Rest rest) {
  Pass& pass = live.pass;
  pass.rest = std::max(pass.rest.value_or(Rest::reset), rest);
  if (reply.outcome == Outcome::success) return;
  if (reply.outcome == Outcome::ongoing && pass.worst) return;
  Trouble& worst = pass.worst.emplace();
  worst.outcome = reply.outcome;
  worst.error = std::move(reply.error);
  worst.text = std::move(reply.full_text);
  worst.branch = index;
  const std::string& url = index ? live.trans.branches[*index].url : live.trans.query_prepared;
  worst.target = call_target(url);
  if (index) worst.url = masked_url(url);
}

Task<void> Engine::pause_branch(Pin pin, std::uint32_t index) {
  co_await asio::this_coro::throw_if_cancelled(false);
  LiveTrans& live = *pin;
  const SteadyTime until = ports_.timers.now() + retry_pause(live.trans.retry_count);
  co_await sleep_until(ports_.timers, until);
  live.calls.end_pause();
  RunState& run = live.calls.runs[index];
  if (run == RunState::pausing) run = RunState::idle;
  live.progressed.notify_all();
}

}  // namespace concerto
