#include "calls.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/masked_url.hpp>

#include "thrown.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

/// The reply of a BranchCaller that has thrown. The service may have done its part. A caller that
/// is cancelled at a stop may end so, too.
BranchReply reply_of_exception() {
  BranchReply reply;
  reply.outcome = Outcome::error;
  reply.error = make_error(EngineErrc::branch_error, thrown_by("the branch caller"));
  return reply;
}

}  // namespace

Calls::Calls(ShardEnv& env, WakeUps& wakes, Changes& changes, EngineLog& log, Journal& journal,
             TaskGroup& tasks)
    : env_(env), wakes_(wakes), changes_(changes), log_(log), journal_(journal), tasks_(tasks) {}

void Calls::start(const Pin& pin, const Next& next) {
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

/// Fills in what all calls of a transaction have in common, and returns the time of the start.
/// begin_call and end_call are no coroutine around the call, because its frame would live as long
/// as the call.
SteadyTime Calls::begin_call(LiveTrans& live, BranchCall& call) const {
  const seconds own = live.trans.options.request_timeout;
  const SteadyTime start = env_.now();
  call.gid = &live.gid;
  call.mode = live.mode;
  call.protocol = live.trans.protocol;
  call.headers = &live.trans.options.branch_headers;
  call.deadline = start + (own.count() > 0 ? own : env_.options.request_timeout);
  call.trace = tracing_.begin_call(live);
  return start;
}

/// Masks URLs in the texts of errors, because clients, logs, alerts and the journal show these
/// texts.
void Calls::end_call(LiveTrans& live, const BranchCall& call, BranchReply& reply,
                     SteadyTime start) {
  const nanoseconds took = env_.now() - start;
  if (!reply.error.detail.empty()) reply.error.detail = masked_urls(reply.error.detail);
  if (!reply.full_text.empty()) reply.full_text = masked_urls(reply.full_text);
  env_.observer.branch_called(call, reply, took);
  tracing_.end_call(live, call, reply, took);
  if (env_.ownership != nullptr && !is_final(live.trans.status) && live.lease_end < env_.now()) {
    env_.observer.call_past_lease(call);
  }
  if (reply.outcome != Outcome::success || journal_.has(*call.gid)) keep_attempt(call, reply, took);
  if (reply.outcome == Outcome::error) return;
  Pass& pass = live.pass;
  pass.slot_answered |= !pass.slot.empty() && pass.slot == call_target(call.url);
  if (wakes_.any_waits_for_target()) wakes_.wake_waiting(call_target(call.url));
}

void Calls::keep_attempt(const BranchCall& call, const BranchReply& reply, nanoseconds took) {
  Attempt attempt;
  attempt.time = env_.clock.wall_now() - took;
  attempt.branch_id = call.branch_id;
  attempt.op = call.op;
  attempt.url = masked_url(call.url);
  attempt.took = took;
  attempt.outcome = reply.outcome;
  attempt.answer = reply.full_text.empty() ? reply.error.detail : reply.full_text;
  journal_.add(*call.gid, std::move(attempt));
}

Task<void> Calls::call_branch(Pin pin, std::uint32_t index, TransStatus called_in) {
  LiveTrans& live = *pin;
  CONCERTO_ASSERT(index < live.trans.branches.size() && index < live.calls.runs.size());
  const Branch& branch = live.trans.branches[index];
  BranchCall request;
  request.branch_id = branch.branch_id.view();
  request.op = branch.op;
  request.url = branch.url;
  request.payload = live.trans.payloads[branch.payload];
  BranchReply reply{Outcome::success, {}};  // to an empty URL (page 04, section 1)
  // A decision or the end of the lease may have come between the start of this task and now.
  if (!may_begin(live, called_in)) {
    live.calls.end(live.calls.runs[index], RunState::idle);
    live.progressed.notify_all();
    co_return;
  }
  if (!request.url.empty()) {
    const SteadyTime start = begin_call(live, request);
    try {
      reply = co_await env_.ports.branches.call(request);
    } catch (...) {
      reply = reply_of_exception();
    }
    end_call(live, request, reply, start);
  } else if (journal_.has(live.gid)) {
    request.gid = &live.gid;
    keep_attempt(request, {Outcome::success, {}, "no URL: counts as done without a call"}, {});
  }
  record(pin, index, called_in, std::move(reply));
  live.progressed.notify_all();
}

Task<void> Calls::call_application(Pin pin, TransStatus called_in) {
  LiveTrans& live = *pin;
  BranchCall request;
  const bool asks = live.mode->application_call == ApplicationCall::asks;
  request.branch_id = "00";
  request.op = asks ? live.mode->name : std::string_view(live.custom.name);
  request.url = live.trans.query_prepared;
  request.payload = live.custom.data;
  if (asks && request.url.empty()) {
    log_.write_limited(LogLevel::warn, live,
                       std::string(live.mode->name) + " without query_prepared",
                       "has no query_prepared and is submitted after its timeout as if its "
                       "application had done so");
  }
  BranchReply reply{Outcome::success, {}};
  if (!may_begin(live, called_in)) {
    live.calls.end(live.calls.query, RunState::idle);
    live.progressed.notify_all();
    co_return;
  }
  if (!request.url.empty()) {
    const SteadyTime start = begin_call(live, request);
    try {
      reply = co_await env_.ports.branches.call(request);
    } catch (...) {
      reply = reply_of_exception();
    }
    end_call(live, request, reply, start);
  }
  record_query(live, called_in, std::move(reply));
  live.progressed.notify_all();
}

/// Whether a call may begin. The coordinator may have stood still since the driver decided so.
bool Calls::may_begin(const LiveTrans& live, TransStatus called_in) const noexcept {
  return counts(live, called_in) && (env_.ownership == nullptr || env_.now() < live.lease_end);
}

/// Whether the result of a call counts: not if the status has changed while the call ran, or if
/// another coordinator works on the transaction now.
bool Calls::counts(const LiveTrans& live, TransStatus called_in) const noexcept {
  if (live.trans.status != called_in) return false;
  return env_.ownership == nullptr || live.has_lease();
}

Effect Calls::effect_of(const LiveTrans& live, const Branch& branch, Outcome outcome) {
  try {
    return live.mode->effect(live.trans, branch, outcome);
  } catch (...) {
    log_.write_limited(LogLevel::error, live, "modes that threw", thrown_by("the mode"));
    return Effect::retry_later;
  }
}

void Calls::record(const Pin& pin, std::uint32_t index, TransStatus called_in, BranchReply reply) {
  LiveTrans& live = *pin;
  CONCERTO_ASSERT(index < live.calls.runs.size());
  RunState& run = live.calls.runs[index];
  if (!counts(live, called_in)) return live.calls.end(run, RunState::idle);
  live.calls.end(run, RunState::tried);
  Branch& branch = live.trans.branches[index];
  const auto conclude = [&](BranchStatus status) {
    const WallTime now = env_.clock.wall_now();
    branch.status = status;
    branch.update_time = branch.finish_time = now;
    live.unsaved.push_back({index, status, now});
    changes_.mark_unsaved(live);
  };
  std::optional<nanoseconds> pause;
  switch (effect_of(live, branch, reply.outcome)) {
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
      changes_.mark_unsaved(live);
      run = RunState::pausing;
      ++live.calls.pausing;
      journal_.set_next_try(live.gid, env_.clock.wall_now() + retry_pause(live.trans.retry_count));
      pause = retry_pause(live.trans.retry_count);
      if (!tasks_.spawn(pause_branch(pin, index))) live.calls.end_pause();
      break;
    case Effect::give_up:
      live.pass.retries_exhausted = true;
      break;
    case Effect::retry_later:
      break;
  }
  const bool is_ongoing = reply.outcome == Outcome::ongoing;
  const IntervalKind kind = is_ongoing ? IntervalKind::keep : IntervalKind::backoff;
  note_outcome(live, std::move(reply), index, kind);
  if (pause && !is_ongoing) log_.write_trouble(live, *pause);
}

void Calls::record_query(LiveTrans& live, TransStatus called_in, BranchReply reply) {
  live.calls.end(live.calls.query, RunState::tried);
  if (!counts(live, called_in)) return;
  live.pass.query_outcome = reply.outcome;
  const bool is_answer = reply.outcome == Outcome::success || reply.outcome == Outcome::failure;
  if (is_answer && live.mode->application_call == ApplicationCall::asks) return;
  const bool is_error = reply.outcome == Outcome::error;
  const IntervalKind kind = is_error ? IntervalKind::backoff : IntervalKind::reset;
  note_outcome(live, std::move(reply), std::nullopt, kind);
}

/// `index`: the row that was called; absent after a call to the application.
void Calls::note_outcome(LiveTrans& live, BranchReply reply, std::optional<std::uint32_t> index,
                         IntervalKind kind) {
  Pass& pass = live.pass;
  pass.interval_kind = std::max(pass.interval_kind.value_or(IntervalKind::reset), kind);
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

Task<void> Calls::pause_branch(Pin pin, std::uint32_t index) {
  co_await asio::this_coro::throw_if_cancelled(false);
  LiveTrans& live = *pin;
  const SteadyTime until = env_.now() + retry_pause(live.trans.retry_count);
  co_await sleep_until(env_.ports.timers, until);
  live.calls.end_pause();
  RunState& run = live.calls.runs[index];
  if (run == RunState::pausing) run = RunState::idle;
  live.progressed.notify_all();
}

}  // namespace concerto
