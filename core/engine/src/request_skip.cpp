// An operator marks a row as succeeded without a call.

#include <algorithm>

#include "operator_log.hpp"
#include "request_parts.hpp"
#include "requests.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

std::string row_text(const BranchRow& row) {
  if (row.branch_id.empty()) return row.op.empty() ? "the next branch" : "the next " + row.op;
  return "branch " + row.branch_id + (row.op.empty() ? "" : " " + row.op);
}

bool is_meant_row(const Branch& branch, const BranchRow& row) {
  return (row.branch_id.empty() || branch.branch_id.view() == row.branch_id) &&
         (row.op.empty() || branch.op == row.op);
}

/// The rows that `row` may mean. If it leaves something open, those that are called next; otherwise
/// all with an op that the transaction calls now: no compensation of a saga that goes forward.
std::vector<std::uint32_t> skippable_rows(const Transaction& trans,
                                          const std::vector<std::uint32_t>& next,
                                          const BranchRow& row) {
  std::vector<std::uint32_t> rows = next;
  if (!row.branch_id.empty() && !row.op.empty()) {
    const bool is_called_now =
        std::ranges::any_of(next, [&](std::uint32_t i) { return trans.branches[i].op == row.op; });
    rows.clear();
    for (std::uint32_t i = 0; is_called_now && i < trans.branches.size(); ++i) rows.push_back(i);
  }
  std::erase_if(rows, [&](std::uint32_t i) { return !is_meant_row(trans.branches[i], row); });
  return rows;
}

Result<std::uint32_t> skipped_row(const LiveTrans& live, const BranchRow& row) {
  const std::vector<std::uint32_t> next = next_rows(live.trans, *live.mode);
  const std::string who = "gid " + live.gid.str();
  if (next.empty()) {
    return make_error(EngineErrc::invalid_entry,
                      who + " calls no branch next, its status is " + quoted(live.trans.status));
  }
  const std::vector<std::uint32_t> rows = skippable_rows(live.trans, next, row);
  if (rows.size() == 1) return rows.front();
  if (rows.empty()) {
    return make_error(EngineErrc::invalid_entry,
                      who + " has no row that is called now and is " + row_text(row));
  }
  return make_error(EngineErrc::invalid_entry, who + " calls " + std::to_string(rows.size()) +
                                                   " rows next; name branch and op of one of them");
}

}  // namespace

Async<> Requests::skip_branch(Gid gid, BranchRow row, RequestContext context) {
  std::string what = "skip " + row_text(row);
  const Result<> done = co_await bound(gid, context, skip_row(gid, std::move(row)));
  tell_operator(env_.observer, LogLevel::warn, gid.view(), std::move(what), context, done);
  co_return done;
}

Async<> Requests::skip_row(Gid gid, BranchRow row) {
  CONCERTO_CO_CHECK(check_gid(gid));
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(gid, taken_unfinished));
    const Result<> skipped = co_await change_skipped(*turn, row);
    if (skipped) begin_anew(std::move(turn));
    if (!has_lost_lease(skipped)) co_return skipped;
    CONCERTO_CO_CHECK(co_await pause_for_lease(*turn, retry));
  }
}

Async<> Requests::change_skipped(LiveTrans& live, const BranchRow& row) {
  if (env_.stopping) co_return shutting_down();
  const Transaction& trans = live.trans;
  if (is_final(trans.status)) {
    co_return conflict("gid " + live.gid.str() + " has ended with status " + quoted(trans.status) +
                       ", no branch can be skipped.");
  }
  CONCERTO_CO_TRY(const std::uint32_t index, skipped_row(live, row));
  const Branch& branch = trans.branches[index];
  const std::string name =
      "branch " + branch.branch_id.str() + " " + branch.op + " of gid " + live.gid.str();
  if (branch.status != BranchStatus::prepared) {
    co_return conflict(name + " has ended with status '" + std::string(to_string(branch.status)) +
                       "', it cannot be skipped.");
  }
  // What that call does would be unknown to whoever has done its work by hand.
  if (live.calls.runs.size() > index && live.calls.runs[index] == RunState::running) {
    co_return conflict(name + " is being called, it cannot be skipped now.");
  }
  TransDelta delta;
  delta.at = env_.clock.wall_now();
  delta.branch_changes.push_back({index, BranchStatus::succeed, delta.at});
  delta.schedule = Schedule{reset_interval(trans.options, env_.options), delta.at, false};
  co_return co_await changes_.commit(live, std::move(delta), Durability::durable);
}

}  // namespace concerto
