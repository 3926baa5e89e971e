#include "workflow_run.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/base64.hpp>
#include <concerto/base/branch_condition.hpp>
#include <concerto/client/branch_ids.hpp>
#include <concerto/engine/mode.hpp>

#include "run_between.hpp"

namespace concerto::client::detail {
namespace {

constexpr std::string_view action_op = "action";
constexpr std::string_view commit_op = "commit";
constexpr std::string_view rollback_op = "rollback";
/// Recorded before the work of XA is prepared.
constexpr std::string_view xa_op = "business";
/// With what a record of the Go SDK, and ours, begins after a FAILURE over gRPC.
constexpr std::string_view grpc_failure = "rpc error: code = Aborted desc = ";

std::string key_of(std::string_view branch_id, std::string_view op) {
  return std::string{branch_id}.append("-").append(op);
}

Error failure_of(std::string_view text) {
  return failure(with_failure_suffix(text));
}

/// The error that the first run saw.
Error recorded_failure(std::string_view data) {
  if (data.starts_with(grpc_failure)) data.remove_prefix(grpc_failure.size());
  return failure_of(data);
}

/// Not a failure of the step, whatever the coordinator has answered: the step was done.
Error not_recorded(const WorkflowStep& step, Error error) {
  if (error.code == BranchCondition::failure) error.code = ClientErrc::refused;
  error.detail = "branch " + step.branch_id + ", " + step.op + ": not recorded: " + error.detail;
  return error;
}

Task<CallEnd> end_of_work(WorkflowRun::Work work, WorkflowStep step) {
  CallEnd end;
  end.result = co_await work(std::move(step));
  if (!end.result) end.answer = end.result.error().detail;
  co_return end;
}

/// A commit or a rollback that fails for good would leave the workflow without an end.
Task<CallEnd> end_of_end(WorkflowRun::End work, WorkflowStep step) {
  const std::string what = "the " + step.op + " of branch " + step.branch_id;
  const Result<> done = co_await work(std::move(step));
  CallEnd end;
  if (done) co_return end;
  end.result = done.error();
  if (done.error().code == BranchCondition::failure) {
    end.result = make_error(ClientErrc::refused, what + " must not fail: " + done.error().detail);
  }
  co_return end;
}

}  // namespace

Task<CallEnd> end_of_call(Core& core, WorkflowStep step, std::string url, std::string payload) {
  OwnCall call;
  call.gid = std::move(step.gid);
  call.trans_type = std::move(step.trans_type);
  call.branch_id = std::move(step.branch_id);
  call.op = std::move(step.op);
  call.url = std::move(url);
  call.payload = std::move(payload);
  call.is_step = true;
  co_return co_await core.call(std::move(call));
}

WorkflowRun::WorkflowRun(Core& core, std::string name, TransRequest prepare, bool rolls_back_failed)
    : core_(core),
      name_(std::move(name)),
      prepare_(std::move(prepare)),
      rolls_back_failed_(rolls_back_failed) {}

void WorkflowRun::take(const Transaction& prepared) {
  for (const Branch& branch : prepared.branches) {
    if (branch.status == BranchStatus::prepared) continue;
    const std::string& data = prepared.payloads[branch.payload];
    Result<std::string> result = data;
    if (branch.status == BranchStatus::failed) result = recorded_failure(data);
    records_.emplace(key_of(branch.branch_id.str(), branch.op), std::move(result));
  }
}

unsigned WorkflowRun::next_branch() {
  if (ending_) {
    misused("a commit or a rollback takes no new branch");
  } else if (branches_ == BranchIds::branches_max) {
    misused("there are 99 branches already");
  }
  return misuse_ ? 0 : ++branches_;
}

void WorkflowRun::add_commit(unsigned branch, End end) {
  add(commits_, branch, std::move(end), "commits");
}

void WorkflowRun::add_rollback(unsigned branch, End end) {
  if (failed_.contains(branch)) return;
  add(rollbacks_, branch, std::move(end), "rollbacks");
}

void WorkflowRun::add(AtEnds& ends, unsigned branch, End end, const char* kind) {
  const bool has_one = std::ranges::find(ends, branch, &AtEnd::branch) != ends.end();
  if (has_one) misused("branch " + step_branch_id(branch) + " has two " + kind);
  if (ending_) misused("a commit or a rollback adds no other one");
  if (!misuse_) ends.push_back({branch, std::move(end)});
}

Async<std::string> WorkflowRun::work(unsigned branch, Work work) {
  Recorded working = [work = std::move(work)](WorkflowStep step) {
    return end_of_work(work, std::move(step));
  };
  return act(branch, std::move(working));
}

Async<std::string> WorkflowRun::act(unsigned branch, Recorded work) {
  if (ending_) misused("a commit or a rollback has no action");
  if (!acted_.insert(branch).second) {
    misused("branch " + step_branch_id(branch) + " has two actions");
  }
  if (misuse_) co_return *misuse_;
  Result<std::string> result = co_await record(step(branch, action_op), std::move(work));
  if (!result && result.error().code == BranchCondition::failure && !rolls_back_failed_) {
    failed_.insert(branch);
    std::erase_if(rollbacks_, [branch](const AtEnd& each) { return each.branch == branch; });
  }
  co_return result;
}

Async<std::string> WorkflowRun::call(unsigned branch, std::string url, std::string payload) {
  Recorded calling = [this, url = std::move(url), payload = std::move(payload)](WorkflowStep step) {
    return end_of_call(core_, std::move(step), url, payload);
  };
  return act(branch, std::move(calling));
}

Async<> WorkflowRun::xa(unsigned branch, XaWork work) {
  Recorded action = [this, &work](WorkflowStep step) { return xa_action(std::move(step), work); };
  const Result<std::string> done = co_await act(branch, std::move(action));
  End end = [work](WorkflowStep step) {
    WorkflowXa xa;
    xa.step = std::move(step);
    xa.record = [] {
      return Result<>{make_error(ClientErrc::not_sendable, "only an action of XA is recorded")};
    };
    return work(std::move(xa));
  };
  // After a FAILURE, too: an earlier run may have prepared the work.
  add(commits_, branch, end, "commits");
  add(rollbacks_, branch, std::move(end), "rollbacks");
  if (!done) co_return done.error();
  co_return ok();
}

Task<CallEnd> WorkflowRun::xa_action(WorkflowStep step, XaWork work) {
  CallEnd end;
  if (records_.contains(key_of(step.branch_id, xa_op))) {
    end.answer = "the work of branch " + step.branch_id +
                 " broke off while it was prepared; it is rolled back";
    end.result = failure_of(end.answer);
    co_return end;
  }
  WorkflowXa xa;
  xa.step = step;
  step.op = xa_op;
  xa.record = [this, step] {
    const auto recorded = core_.register_branch_now(registration(step, "succeed"));
    return recorded ? recorded : Result<>{not_recorded(step, recorded.error())};
  };
  const Result<> done = co_await work(std::move(xa));
  if (done) co_return end;
  end.answer = done.error().detail;
  end.result = done.error();
  co_return end;
}

Result<> WorkflowRun::check() const {
  if (misuse_) return *misuse_;
  return ok();
}

Async<> WorkflowRun::end(bool commits) {
  ending_ = true;
  AtEnds& ends = commits ? commits_ : rollbacks_;
  for (; !ends.empty(); ends.pop_back()) {
    WorkflowStep at = step(ends.back().branch, commits ? commit_op : rollback_op);
    Recorded work = [end = ends.back().end](WorkflowStep each) {
      return end_of_end(end, std::move(each));
    };
    CONCERTO_CO_CHECK(co_await record(std::move(at), std::move(work)));
    CONCERTO_CO_CHECK(check());
  }
  co_return ok();
}

Async<> WorkflowRun::submit(const Result<std::string>& result) const {
  TransRequest request;
  if (core_.wire() == Wire::grpc) request = prepare_;  // as the Go SDK does
  request.gid = prepare_.gid;
  request.trans_type = prepare_.trans_type;
  request.extra["status"] = result ? "succeed" : "failed";
  request.extra["result"] = result ? base64_encode(*result) : std::string{};
  request.extra["rollback_reason"] = result ? std::string{} : fitting_reason(result.error().detail);
  return core_.send("submit", request);
}

WorkflowStep WorkflowRun::step(unsigned branch, std::string_view op) const {
  WorkflowStep step;
  step.gid = gid();
  step.trans_type = prepare_.trans_type;
  step.branch_id = step_branch_id(branch);
  step.op = op;
  step.core = &core_;
  return step;
}

BranchRequest WorkflowRun::registration(const WorkflowStep& step, std::string_view status) const {
  BranchRequest branch;
  branch.gid = prepare_.gid;
  branch.trans_type = prepare_.trans_type;
  branch.branch_id = step.branch_id;
  branch.fields["op"] = step.op;
  branch.fields["status"] = status;
  return branch;
}

Async<std::string> WorkflowRun::record(WorkflowStep step, Recorded work) {
  const auto known = records_.find(key_of(step.branch_id, step.op));
  if (known != records_.end()) co_return known->second;
  CallEnd end = co_await work(step);
  const bool failed = !end.result && end.result.error().code == BranchCondition::failure;
  if (!end.result && !failed) co_return end.result;
  BranchRequest branch = registration(step, failed ? "failed" : "succeed");
  branch.payload = failed ? std::move(end.answer) : *end.result;
  if (failed) end.result = failure_of(end.result.error().detail);
  const Result<> recorded = co_await core_.register_branch(std::move(branch));
  if (!recorded) co_return not_recorded(step, recorded.error());
  co_return std::move(end.result);
}

void WorkflowRun::misused(std::string how) {
  if (!misuse_) {
    misuse_ = make_error(ClientErrc::not_sendable, "workflow '" + name_ + "': " + std::move(how));
  }
}

}  // namespace concerto::client::detail
