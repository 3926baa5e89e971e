#include <utility>

#include <concerto/client/workflow.hpp>
#include <concerto/engine/mode.hpp>

#include "workflow_run.hpp"

namespace concerto::client {
namespace {

Async<std::string> result_of_call(detail::Core& core, WorkflowStep step, std::string url,
                                  std::string payload) {
  detail::CallEnd end =
      co_await detail::end_of_call(core, std::move(step), std::move(url), std::move(payload));
  co_return std::move(end.result);
}

/// A commit or a rollback that is a call.
Async<> call_at_end(WorkflowStep step, std::string url, std::string payload) {
  const auto answer = co_await step.call(std::move(url), std::move(payload));
  if (!answer) co_return answer.error();
  co_return ok();
}

auto calling(std::string url, std::string payload) {
  return [url = std::move(url), payload = std::move(payload)](WorkflowStep step) {
    return call_at_end(std::move(step), url, payload);
  };
}

}  // namespace

Async<std::string> WorkflowStep::call(std::string url, std::string payload) const {
  return result_of_call(*core, *this, std::move(url), std::move(payload));
}

std::string WorkflowBranch::id() const {
  return step_branch_id(number_);
}

void WorkflowBranch::on_rollback(std::string url, std::string payload) {
  add_rollback(calling(std::move(url), std::move(payload)));
}

void WorkflowBranch::on_commit(std::string url, std::string payload) {
  add_commit(calling(std::move(url), std::move(payload)));
}

Async<std::string> WorkflowBranch::call(std::string url, std::string payload) const {
  return run_->call(number_, std::move(url), std::move(payload));
}

void WorkflowBranch::add_rollback(End end) {
  run_->add_rollback(number_, std::move(end));
}

void WorkflowBranch::add_commit(End end) {
  run_->add_commit(number_, std::move(end));
}

Async<std::string> WorkflowBranch::record(Work work) const {
  return run_->work(number_, std::move(work));
}

Async<> WorkflowBranch::record_xa(XaWork work) const {
  return run_->xa(number_, std::move(work));
}

const std::string& Workflow::gid() const noexcept {
  return run_.gid();
}

const std::string& Workflow::name() const noexcept {
  return run_.name();
}

WorkflowBranch Workflow::branch() {
  return {run_, run_.next_branch()};
}

}  // namespace concerto::client
