// An operator marks a row as succeeded without a call.

#include <concerto/base/masked_url.hpp>

#include "named_rows.hpp"
#include "operator_deeds.hpp"
#include "operator_log.hpp"
#include "request_parts.hpp"
#include "requests.hpp"

namespace concerto {

Async<> Requests::skip_branch(Gid gid, BranchRow row, RequestContext context, std::string reason) {
  std::string what = "skip " + row_text(row);
  std::string told = skip_answer(context.caller, reason);
  const Result<> done =
      co_await bound(gid, context, skip_row(gid, std::move(row), std::move(told)));
  tell_operator(env_.observer, LogLevel::warn, gid.view(), std::move(what), context, done);
  co_return done;
}

Async<> Requests::skip_row(Gid gid, BranchRow row, std::string told) {
  CONCERTO_CO_CHECK(check_gid(gid));
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(gid));
    const Result<> skipped = co_await change_skipped(*turn, row, told);
    if (skipped) begin_anew(std::move(turn));
    if (!has_lost_lease(skipped)) co_return skipped;
    CONCERTO_CO_CHECK(co_await pause_for_lease(*turn, retry));
  }
}

Async<> Requests::change_skipped(LiveTrans& live, const BranchRow& row, std::string told) {
  if (env_.stopping) co_return shutting_down();
  const Transaction& trans = live.trans;
  CONCERTO_CO_TRY(const std::uint32_t index, skipped_row(trans, *live.mode, row));
  // What a call does that runs now would be unknown to whoever has done its work by hand.
  if (is_others(live) || env_.now() < live.others_until) {
    co_return conflict("gid " + live.gid.str() +
                       " is being processed by another coordinator, which may be calling the "
                       "branch: it cannot be skipped here now.");
  }
  if (live.calls.runs.size() > index && live.calls.runs[index] == RunState::running) {
    const Branch& branch = trans.branches[index];
    co_return conflict("branch " + branch.branch_id.str() + " " + branch.op + " of gid " +
                       live.gid.str() + " is being called, it cannot be skipped now.");
  }
  TransDelta delta;
  delta.at = env_.clock.wall_now();
  delta.branch_changes.push_back({index, BranchStatus::succeed, delta.at});
  delta.schedule = Schedule{reset_interval(trans.options, env_.options), delta.at, false};
  const WallTime at = delta.at;
  CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
  const Branch& skipped = live.trans.branches[index];
  Attempt attempt;
  attempt.time = at;
  attempt.branch_id = skipped.branch_id.str();
  attempt.op = skipped.op;
  attempt.url = masked_url(skipped.url);
  attempt.outcome = Outcome::success;
  attempt.answer = std::move(told);
  journal_.add(live.gid, std::move(attempt));
  co_return ok();
}

}  // namespace concerto
