#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/client/client_error.hpp>

namespace concerto::client {

namespace detail {
class Core;
class WorkflowRun;
}  // namespace detail

/// What a function of a workflow is called for. The four texts are what a barrier needs:
/// Barrier::from(step).
struct CONCERTO_EXPORT WorkflowStep {
  std::string gid;
  std::string trans_type;
  std::string branch_id;
  std::string op;  ///< action, commit or rollback

  /// Calls a service in the name of this step: HTTP POST if the URL is one of HTTP, else gRPC.
  /// `payload`: JSON over HTTP, the bytes of a message over gRPC. Returns the body, or the message,
  /// of the answer. FAILURE is HTTP 409 or ABORTED, ONGOING is 425 or FAILED_PRECONDITION. An empty
  /// URL is a success.
  Async<std::string> call(std::string url, std::string payload) const;

  detail::Core* core = nullptr;  ///< the client's
};

/// What a step of XA is called for: op `action`, and later `commit` or `rollback`.
struct CONCERTO_EXPORT WorkflowXa {
  WorkflowStep step;
  /// The last thing that the work of the op `action` does: it tells the coordinator that the work
  /// is about to be prepared. It blocks.
  std::function<Result<>()> record;
};

namespace detail {

template <class T>
Async<T> ended(Result<T> result) {
  co_return result;
}

/// A function of `Argument` that returns Async<T>, made of one that returns Async<T> or Result<T>.
template <class T, class Argument, class Work>
std::function<Async<T>(Argument)> to_async(Work work) {
  using Returned = std::invoke_result_t<Work&, Argument>;
  if constexpr (std::is_same_v<Returned, Async<T>>) {
    return work;
  } else {
    static_assert(std::is_convertible_v<Returned, Result<T>>,
                  "a step returns Async<std::string> or Result<std::string>; a commit, a rollback "
                  "or a step of XA returns Async<> or Result<>");
    return [work = std::move(work)](Argument argument) mutable {
      return ended<T>(work(std::move(argument)));
    };
  }
}

}  // namespace detail

/// A branch of a workflow: one action, and functions for the end of the workflow. Copies are the
/// same branch. Valid while the workflow runs.
///
/// The functions for the end are called after the workflow's handler has returned: they own what
/// they use, and capture nothing of the handler by reference.
class CONCERTO_EXPORT WorkflowBranch {
 public:
  /// `01`, `02`, ...
  std::string id() const;

  /// `end(WorkflowStep)` returns Async<> or Result<>. It undoes the action if the workflow fails.
  /// It must not fail with FAILURE; after another error it is called again later. At most one for
  /// each branch.
  template <class End>
  void on_rollback(End end) {
    add_rollback(detail::to_async<void, WorkflowStep>(std::move(end)));
  }
  /// The same after the success of the workflow.
  template <class End>
  void on_commit(End end) {
    add_commit(detail::to_async<void, WorkflowStep>(std::move(end)));
  }
  /// The same for both. `step.op` says which.
  template <class End>
  void on_finish(End end) {
    on_commit(end);
    on_rollback(std::move(end));
  }
  /// Calls of services as in WorkflowStep::call.
  void on_rollback(std::string url, std::string payload);
  void on_commit(std::string url, std::string payload);

  /// The action: `work(WorkflowStep)` returns Async<std::string> or Result<std::string>. Success
  /// and FAILURE are recorded at the coordinator, and returned without a call of `work` when the
  /// workflow is run again. Any other result is not recorded. So the work may be repeated, and a
  /// barrier makes it safe.
  ///
  /// If the action fails with FAILURE, the branch is not rolled back (see
  /// WorkflowOptions::rolls_back_failed).
  template <class Work>
  Async<std::string> run(Work& work) const {
    return record(detail::to_async<std::string, WorkflowStep>(work));
  }
  /// Give `work` a name first: GCC 12 destroys a temporary in an expression with co_await twice.
  template <class Work>
  Async<std::string> run(const Work&& work) const = delete;

  /// The action is a call of a service as in WorkflowStep::call.
  Async<std::string> call(std::string url, std::string payload) const;

  /// The action, the commit and the rollback are those of an XA transaction in a database.
  /// `work(WorkflowXa)` returns Async<> or Result<>; it is Barrier::xa on a connection of its own,
  /// whose business calls `record` at its end. It is called after the handler has returned, too, so
  /// it owns what it uses. The branch has no other functions for the end.
  template <class Work>
  Async<> xa(Work& work) const {
    return record_xa(detail::to_async<void, WorkflowXa>(work));
  }
  template <class Work>
  Async<> xa(const Work&& work) const = delete;

 private:
  friend class Workflow;
  using Work = std::function<Async<std::string>(WorkflowStep)>;
  using End = std::function<Async<>(WorkflowStep)>;
  using XaWork = std::function<Async<>(WorkflowXa)>;

  WorkflowBranch(detail::WorkflowRun& run, unsigned number) : run_(&run), number_(number) {}

  void add_rollback(End end);
  void add_commit(End end);
  Async<std::string> record(Work work) const;
  Async<> record_xa(XaWork work) const;

  detail::WorkflowRun* run_;
  unsigned number_;
};

/// A workflow that runs, as its handler sees it. It lasts until the handler has returned.
///
/// The handler is run again from its beginning after a crash or an error. It must take its branches
/// in the same order then, and decide by its data and by the results of its branches only.
class CONCERTO_EXPORT Workflow {
 public:
  explicit Workflow(detail::WorkflowRun& run) : run_(run) {}
  Workflow(const Workflow&) = delete;
  Workflow& operator=(const Workflow&) = delete;

  const std::string& gid() const noexcept;
  const std::string& name() const noexcept;

  /// The next branch. Misuse (a hundredth branch, a second action of a branch) is the error
  /// not_sendable of the branch's action and of the workflow, which then stays as it is.
  WorkflowBranch branch();

 private:
  detail::WorkflowRun& run_;
};

}  // namespace concerto::client
