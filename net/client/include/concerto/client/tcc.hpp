#pragma once

#include <functional>
#include <string>
#include <utility>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/temporary.hpp>
#include <concerto/client/branch_ids.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::client {

namespace detail {
class Core;
}  // namespace detail

/// A tcc: the application calls the tries, and the coordinator confirms or cancels all of them.
/// Made by Client::tcc. The object must outlive its calls.
class CONCERTO_EXPORT Tcc {
 public:
  /// Calls the branches. An error, or an exception, cancels the transaction.
  using Work = std::function<Async<>(Tcc&)>;

  Tcc(detail::Core& core, std::string gid, std::string parent_branch_id);

  const std::string& gid() const noexcept { return request_.gid.str(); }

  /// `wait_result`, timeouts, headers and the like. Set them before `run`.
  TransOptions options;

  /// Prepares the tcc, does the work, and submits the tcc or aborts it. Returns the error of the
  /// work, or else that of the submit. If the task is cancelled, or if the abort gets lost, the
  /// coordinator cancels the branches after `timeout_to_fail`.
  template <class W>
  Async<> run(W&& work) {
    return run_work(Work(std::forward<W>(work)));
  }
  /// Give `work` a name first (see OwningTemporary).
  template <class W>
    requires OwningTemporary<W>
  Async<> run(W&& work) = delete;

  /// Registers a branch, then calls its try. Returns the body, or the message, of the answer.
  /// `payload` goes to all three URLs: JSON over HTTP, the bytes of a message over gRPC.
  Async<std::string> call_branch(std::string payload, std::string try_url, std::string confirm_url,
                                 std::string cancel_url);

  // What `run` does, for an application that decides in several functions.
  Async<> prepare() const;
  Async<> submit() const;
  /// `reason` is shown as the rollback_reason.
  Async<> abort(std::string reason) const;

 private:
  Async<> run_work(Work work);
  TransRequest request() const;

  detail::Core& core_;
  TransRequest request_;
  BranchIds branch_ids_;
};

}  // namespace concerto::client
