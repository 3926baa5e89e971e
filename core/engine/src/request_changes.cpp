// The requests that change a stored transaction.

#include <algorithm>

#include "operator_deeds.hpp"
#include "operator_log.hpp"
#include "request_parts.hpp"
#include "requests.hpp"
#include "sendable.hpp"

namespace concerto {

using std::chrono::seconds;

namespace {

/// Whether a transaction has room for more rows and one more payload.
Result<> check_room(const Transaction& stored, std::size_t rows, std::size_t bytes) {
  if (stored.branches.size() + rows > branches_max) {
    return make_error(EngineErrc::invalid_entry,
                      "gid " + stored.gid.str() + " has " + std::to_string(stored.branches.size()) +
                          " branch rows, at most " + std::to_string(branches_max) + " are allowed");
  }
  if (payload_bytes(stored) + bytes > registered_bytes_max) {
    return make_error(EngineErrc::invalid_entry,
                      "the branches of gid " + stored.gid.str() + " would have more than " +
                          std::to_string(registered_bytes_max) + " bytes of data");
  }
  return ok();
}

/// Whether one of `rows` has the (branch_id, op) of a stored branch.
bool any_exists(const std::vector<Branch>& stored, const std::vector<Branch>& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const Branch& row) {
    return std::any_of(stored.begin(), stored.end(), [&](const Branch& branch) {
      return branch.branch_id == row.branch_id && branch.op == row.op;
    });
  });
}

}  // namespace

/// The submit of a workflow. Its application has done the work, so no pass follows.
Async<> Requests::submit_end(Draft draft) {
  CONCERTO_CO_TRY(const StatusChange end, submitted_end(std::move(draft.extra)));
  Turn turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  for (StoreRetry retry(lease_patience);;) {
    const Result<> ended = co_await end_workflow(live, draft, end);
    if (!has_lost_lease(ended)) co_return ended;
    CONCERTO_CO_CHECK(co_await pause_for_lease(live, retry));
  }
}

Async<> Requests::end_workflow(LiveTrans& live, const Draft& draft, const StatusChange& end) {
  CONCERTO_CO_CHECK(co_await loader_.load(live, taken_prepared));
  const bool is_open =
      live.knowledge == LiveTrans::Knowledge::present && live.trans.status == TransStatus::prepared;
  if (!is_open) co_return make_error(EngineErrc::trans_not_found, "storage: NotFound");
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  if (env_.stopping) co_return shutting_down();
  co_return co_await changes_.change_status(live, end);
}

Async<> Requests::register_branch(BranchRequest request, RequestContext context) {
  Gid gid = request.gid;
  auto span = tracing_.begin("registerBranch", gid, request.trans_type, context);
  return tracing_.recorded(std::move(span),
                           bound(std::move(gid), context, take_branch(std::move(request))));
}

Async<> Requests::take_branch(BranchRequest request) {
  CONCERTO_CO_TRY(const BranchDraft draft,
                  make_branch_draft(request, env_.modes, env_.options.wording));
  Turn turn = loader_.enter_if_free(request.gid);
  if (!turn.holds()) turn = co_await loader_.enter(request.gid);
  LiveTrans& live = *turn;
  for (StoreRetry retry(lease_patience);;) {
    const Result<> added = co_await add_branch(live, draft, request.payload);
    if (!has_lost_lease(added)) co_return added;
    CONCERTO_CO_CHECK(co_await pause_for_lease(live, retry));
  }
}

Async<> Requests::add_branch(LiveTrans& live, const BranchDraft& draft,
                             const std::string& payload) {
  CONCERTO_CO_CHECK(co_await loader_.load(live, taken_prepared));
  const Transaction& stored = live.trans;
  if (live.knowledge != LiveTrans::Knowledge::present || stored.status != TransStatus::prepared) {
    co_return conflict("no trans with gid: " + live.gid.str() + " status: prepared found");
  }
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  if (any_exists(stored.branches, draft.rows)) {
    co_return make_error(EngineErrc::branch_exists, "storage: UniqueKeyConflict");
  }
  CONCERTO_CO_CHECK(check_room(stored, draft.rows.size(), payload.size()));
  CONCERTO_CO_CHECK(check_sendable(env_.ports.branches, *live.mode, stored, draft.rows, payload));
  if (env_.stopping) co_return shutting_down();
  TransDelta delta;
  const WallTime now = env_.clock.wall_now();
  delta.new_branches = draft.rows;
  for (Branch& row : delta.new_branches) {
    row.payload = static_cast<std::uint32_t>(stored.payloads.size());
    row.create_time = row.update_time = now;
  }
  delta.new_payloads.push_back(payload);
  // Between two requests it rests, so that each of them may reach any coordinator.
  std::optional<WallTime> rests_until;
  const bool rests = env_.ownership != nullptr && !live.is_driven();
  if (rests && env_.now() >= live.others_until) rests_until = stored.next_cron_time;
  CONCERTO_CO_CHECK(
      co_await changes_.commit(live, std::move(delta), Durability::durable, rests_until));
  live.calls.restart(live.trans.branches.size());
  live_.count_bytes(live);
  co_return ok();
}

Async<> Requests::abort(TransRequest request, RequestContext context) {
  auto span = tracing_.begin("abort", request.gid, request.trans_type, context);
  return tracing_.recorded(std::move(span), abort_and_wait(std::move(request), context));
}

Async<> Requests::abort_and_wait(TransRequest request, RequestContext context) {
  Gid gid = request.gid;
  CONCERTO_CO_TRY(const Begun begun,
                  co_await bound(std::move(gid), context, begin_abort(std::move(request))));
  if (!begun.pin.holds()) co_return ok();
  const LiveTrans& live = *begun.pin;
  Result<> result = ok();
  if (!begun.is_others) {
    result = co_await passes_.wait_for_pass(begun.pin, begun.seen, context.deadline);
  }
  const bool follows = begun.is_others || has_lost_lease(result);
  if (follows) result = co_await wait_for_others(begun.pin, context.deadline);
  // For a submit a failed transaction is an error. It is what an abort asks for.
  const bool has_failed = follows ? !result && result.error().code == EngineErrc::trans_failed
                                  : live.trans.status == TransStatus::failed;
  if (has_failed) co_return ok();
  co_return result;
}

Async<Requests::Begun> Requests::begin_abort(TransRequest request) {
  CONCERTO_CO_CHECK(check_gid(request.gid));
  CONCERTO_CO_TRY(Turn turn, co_await enter_to_abort(request.gid, request.rollback_reason));
  LiveTrans& live = *turn;
  Begun begun;
  if (is_final(live.trans.status)) co_return begun;
  begun.seen = live.passes;
  begun.is_others = is_others(live);
  if (live.trans.options.wait_result) begun.pin = turn.pin();
  if (!begun.is_others) passes_.try_now(std::move(turn));
  co_return begun;
}

Async<Turn> Requests::enter_to_abort(const Gid& gid, std::string reason) {
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(gid, taken_prepared));
    const Result<> changed = co_await change_to_abort(*turn, reason);
    if (changed) co_return turn;
    if (!has_lost_lease(changed)) co_return changed.error();
    CONCERTO_CO_CHECK(co_await pause_for_lease(*turn, retry));
  }
}

Async<> Requests::change_to_abort(LiveTrans& live, std::string reason) {
  const TransStatus status = live.trans.status;
  const auto aborts_to = live.mode->aborts_to;
  if (aborts_to && status == TransStatus::prepared) {
    StatusChange change{*aborts_to, std::move(reason)};
    co_return co_await changes_.change_status(live, std::move(change));
  }
  if (aborts_to && !is_final(status) && status == *aborts_to) {
    const bool is_known = reason.empty() || reason == live.trans.rollback_reason;
    if (is_known || is_others(live)) co_return ok();
    TransDelta delta;
    delta.rollback_reason = truncated_reason(std::move(reason));
    co_return co_await changes_.commit(live, std::move(delta), Durability::durable);
  }
  co_return conflict("trans type: '" + std::string(live.mode->name) + "' current status " +
                     quoted(status) + ", cannot abort.");
}

Async<> Requests::force_stop(Gid gid, RequestContext context, std::string reason) {
  const Result<> done =
      co_await bound(gid, context, end_by_force(gid, context.caller, std::move(reason)));
  tell_operator(env_.observer, LogLevel::warn, gid.view(), "force stop", context, done);
  co_return done;
}

Async<> Requests::try_now(Gid gid, RequestContext context) {
  const Result<> done = co_await reset_next_cron_time(gid, context);
  tell_operator(env_.observer, LogLevel::info, gid.view(), "try now", context, done);
  co_return done;
}

Async<> Requests::end_by_force(Gid gid, CallerId caller, std::string reason) {
  CONCERTO_CO_CHECK(check_gid(gid));
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(gid, taken_unfinished));
    LiveTrans& live = *turn;
    CONCERTO_CO_CHECK(check_stop(live.trans));
    StatusChange change{TransStatus::failed, stop_reason(live.trans, env_.modes, caller, reason)};
    const Result<> ended = co_await changes_.change_status(live, std::move(change));
    if (has_lost_lease(ended)) {
      CONCERTO_CO_CHECK(co_await pause_for_lease(live, retry));
      continue;
    }
    if (!ended) co_return ended;
    // Waiters need not wait for a call that may still run.
    if (live.is_driven()) passes_.tell_waiters_now(live);
    co_return ok();
  }
}

Async<> Requests::reset_next_cron_time(Gid gid, RequestContext context) {
  Gid copy = gid;
  return bound(std::move(copy), context, reset_time(std::move(gid)));
}

Async<> Requests::reset_time(Gid gid) {
  CONCERTO_CO_CHECK(check_gid(gid));
  CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(std::move(gid)));
  LiveTrans& live = *turn;
  if (env_.stopping) co_return shutting_down();
  if (is_others(live)) co_return ok();  // A pass runs already.
  const bool is_over = is_final(live.trans.status);
  if (live.trans.status == TransStatus::prepared) live.timed_out |= loader_.is_timed_out(live);
  // The claim has left nothing that must wait for its time: after a crash another coordinator goes
  // on when the lease ends. The interval begins anew with the pass.
  if (is_over || env_.ownership == nullptr) {
    TransDelta delta;
    delta.at = env_.clock.wall_now();
    // What is over has no pass. As in the reference, its new time is shown.
    const seconds interval =
        is_over ? live.trans.next_cron_interval : reset_interval(live.trans.options, env_.options);
    delta.schedule = Schedule{interval, delta.at, is_over && live.trans.waits};
    CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
    if (is_over) co_return ok();
  }
  begin_anew(std::move(turn));
  co_return ok();
}

/// Begins a pass. One that runs begins once more.
void Requests::begin_anew(Turn turn) {
  LiveTrans& live = *turn;
  using State = LiveTrans::State;
  if (live.is_driven() && live.state() != State::repeating) live.enter(State::repeating);
  passes_.try_now(std::move(turn));
}

}  // namespace concerto
