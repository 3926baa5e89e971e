#pragma once

#include <functional>
#include <string>
#include <string_view>
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

/// A transaction of XA: the application calls branches, each of which prepares its work in its
/// database, and the coordinator lets all of them commit or roll back. Made by Client::xa. The
/// object must outlive its calls.
class CONCERTO_EXPORT Xa {
 public:
  /// Calls the branches. An error, or an exception, rolls back the transaction.
  using Work = std::function<Async<>(Xa&)>;

  Xa(detail::Core& core, std::string gid);

  const std::string& gid() const noexcept { return request_.gid.str(); }

  /// `wait_result`, timeouts, headers and the like. Set them before `run`.
  TransOptions options;

  /// Prepares the transaction, does the work, and submits the transaction or aborts it. Returns the
  /// error of the work, or else that of the submit. If the task is cancelled, or if the abort gets
  /// lost, the coordinator rolls back after `timeout_to_fail`.
  template <class W>
  Async<> run(W&& work) {
    return run_work(Work(std::forward<W>(work)));
  }
  /// Give `work` a name first (see OwningTemporary).
  template <class W>
    requires OwningTemporary<W>
  Async<> run(W&& work) = delete;

  /// Calls a branch, which registers itself and prepares its work. The coordinator ends the work at
  /// the same URL. Returns the body, or the message, of the answer. `payload`: JSON over HTTP, the
  /// bytes of a message over gRPC.
  Async<std::string> call_branch(std::string payload, std::string url);

  // What `run` does, for an application that decides in several functions.
  Async<> prepare() const;
  Async<> submit() const;
  Async<> abort() const;

 private:
  Async<> run_work(Work work);
  TransRequest request() const;

  detail::Core& core_;
  TransRequest request_;
  BranchIds branch_ids_;
};

/// A call that a branch of XA serves. Client::register_branch registers the branch, as the last
/// thing before its work is prepared. `Barrier::from(call)` makes the barrier for Barrier::xa.
struct CONCERTO_EXPORT XaCall {
  std::string gid;
  std::string trans_type;
  std::string branch_id;
  std::string op;          ///< action, commit or rollback
  std::string phase2_url;  ///< of an action: where the coordinator ends the work

  /// Of a query string, or of a request's target: `/path?gid=..&op=..`. Error not_sendable if a
  /// value is missing.
  [[nodiscard]] static Result<XaCall> from_query(std::string_view query);
  /// Of gRPC metadata, `dtm-gid` and so on: any range of pairs, such as
  /// grpc::ServerContext::client_metadata().
  template <class Pairs>
  [[nodiscard]] static Result<XaCall> from_metadata(const Pairs& pairs) {
    XaCall call;
    for (const auto& [name, value] : pairs) {
      call.take({name.data(), name.size()}, {value.data(), value.size()}, "dtm-");
    }
    return checked(std::move(call));
  }

 private:
  void take(std::string_view name, std::string_view value, std::string_view prefix);
  static Result<XaCall> checked(XaCall call);
};

}  // namespace concerto::client
