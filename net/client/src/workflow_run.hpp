#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/client/workflow.hpp>

#include "core.hpp"

namespace concerto::client::detail {

/// Calls a service in the name of `step`.
Task<CallEnd> end_of_call(Core& core, WorkflowStep step, std::string url, std::string payload);

/// One run of a workflow: its branches, and what the coordinator has recorded of it. The coroutines
/// refer to it.
class WorkflowRun {
 public:
  using Work = std::function<Async<std::string>(WorkflowStep)>;
  using End = std::function<Async<>(WorkflowStep)>;
  using XaWork = std::function<Async<>(WorkflowXa)>;

  WorkflowRun(Core& core, std::string name, TransRequest prepare, bool rolls_back_failed);

  const std::string& gid() const noexcept { return prepare_.gid.str(); }
  const std::string& name() const noexcept { return name_; }

  Async<Transaction> prepare() { return core_.prepare_workflow(prepare_); }
  /// Takes the records of earlier runs.
  void take(const Transaction& prepared);

  /// 0 after misuse.
  unsigned next_branch();
  void add_commit(unsigned branch, End end);
  void add_rollback(unsigned branch, End end);
  /// The three kinds of actions.
  Async<std::string> work(unsigned branch, Work work);
  Async<std::string> call(unsigned branch, std::string url, std::string payload);
  Async<> xa(unsigned branch, XaWork work);

  /// Not an error without misuse.
  Result<> check() const;
  /// After the handler: calls the functions for the end, the last branch first.
  Async<> end(bool commits);
  Async<> submit(const Result<std::string>& result) const;

 private:
  struct AtEnd {
    unsigned branch;
    End end;
  };
  using AtEnds = std::vector<AtEnd>;
  using Recorded = std::function<Task<CallEnd>(WorkflowStep)>;

  WorkflowStep step(unsigned branch, std::string_view op) const;
  BranchRequest registration(const WorkflowStep& step, std::string_view status) const;
  Async<std::string> act(unsigned branch, Recorded work);
  /// The result of an earlier run, or that of `work`.
  Async<std::string> record(WorkflowStep step, Recorded work);
  Task<CallEnd> xa_action(WorkflowStep step, XaWork work);
  void add(AtEnds& ends, unsigned branch, End end, const char* kind);
  void misused(std::string how);

  Core& core_;
  const std::string name_;
  const TransRequest prepare_;
  const bool rolls_back_failed_;
  std::map<std::string, Result<std::string>> records_;  ///< by branch id and op: `01-action`
  unsigned branches_ = 0;
  std::set<unsigned> acted_;
  std::set<unsigned> failed_;  ///< need no rollback
  AtEnds commits_;
  AtEnds rollbacks_;
  bool ending_ = false;
  std::optional<Error> misuse_;
};

}  // namespace concerto::client::detail
