#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <concerto/base/async.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>

#include "changes.hpp"
#include "draft.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "passes.hpp"
#include "patience.hpp"
#include "retry.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "topics.hpp"
#include "tracing.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Carries out the requests of the protocol, on the home shard of their gid. `Coordinator` says
/// what each of them does. `Patience` bounds how long each waits for the store; the waiting of a
/// submit or abort for a pass comes after that.
class Requests {
 public:
  Requests(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, StoreTrouble& trouble,
           Changes& changes, Passes& passes, Journal& journal, Patience& patience);

  Async<> prepare(TransRequest&& request, RequestContext context);
  Async<Transaction> prepare_workflow(TransRequest&& request, RequestContext context);
  Async<> submit(TransRequest&& request, RequestContext context);
  Async<> abort(TransRequest request, RequestContext context);
  Async<> register_branch(BranchRequest request, RequestContext context);
  /// Ends the transaction, and tells the observer who asked. The transaction keeps it, with the
  /// reason.
  Async<> force_stop(Gid gid, RequestContext context, std::string reason);
  /// As reset_next_cron_time, and tells the observer who asked.
  Async<> try_now(Gid gid, RequestContext context);
  Async<> reset_next_cron_time(Gid gid, RequestContext context);
  /// Skips a row, and tells the observer who asked. The journal keeps it, with the reason.
  Async<> skip_branch(Gid gid, BranchRow row, RequestContext context, std::string reason);
  /// Changes the URL or payload of a row, and tells the observer who asked.
  Async<BranchEdited> edit_branch(BranchEdit edit, RequestContext context);
  /// What edit_branch would change now.
  Async<BranchEdited> preview_edit(BranchEdit edit);
  Async<std::optional<Transaction>> query(Gid gid);

 private:
  /// A submit or abort whose change is stored, and whose caller waits for a pass.
  struct Begun {
    Pin pin;  ///< holds nothing if the caller does not wait
    std::uint64_t seen = 0;
    bool is_others = false;
  };

  template <class T>
  Async<T> bound(Gid gid, const RequestContext& context, Async<T> request) {
    return patience_.bound(std::move(gid), Patience::Deed::changes, context.deadline,
                           std::move(request));
  }
  Async<> create_prepared(TransRequest request);
  Async<Transaction> create_workflow(TransRequest request);
  /// Owned by a pointer, because two moves of a request cost more than an allocation.
  Async<Begun> begin_submit(std::unique_ptr<TransRequest> owned);
  Async<> end_submit(Async<Begun> begin, RequestContext context);
  Async<> abort_and_wait(TransRequest request, RequestContext context);
  Async<Begun> begin_abort(TransRequest request);
  Async<> take_branch(BranchRequest request);
  Async<> reset_time(Gid gid);
  Async<> skip_row(Gid gid, BranchRow row, std::string told);
  Async<> change_skipped(LiveTrans& live, const BranchRow& row, std::string told);
  Async<BranchEdited> edit_between_passes(const BranchEdit& edit, RequestContext context);
  Async<std::optional<BranchEdited>> edit_row(BranchEdit edit);
  Async<> change_edited(LiveTrans& live, const BranchEdit& edit, std::uint32_t index);
  void begin_anew(Turn turn);
  Async<> resolve_topics(TransRequest& request);
  Result<> admit(const LiveTrans& live, const Draft& draft) const;
  Result<> begin_create(LiveTrans& live, Draft& draft, TransStatus status) const;
  void end_create(LiveTrans& live, Draft& draft, SteadyTime sent);
  WallTime prepared_until(const Draft& draft) const;
  bool is_probably_known(const Draft& draft) const;
  Async<bool> create_or_load(LiveTrans& live, Draft& draft, TransStatus status);
  Async<> submit_existing(LiveTrans& live, Draft& draft);
  Async<> submit_end(Draft draft);
  Async<> end_workflow(LiveTrans& live, const Draft& draft, const StatusChange& end);
  Async<> add_branch(LiveTrans& live, const BranchDraft& draft, const std::string& payload);
  Async<Turn> enter_to_abort(const Gid& gid, std::string reason);
  Async<> end_by_force(Gid gid, CallerId caller, std::string reason);
  Async<> change_to_abort(LiveTrans& live, std::string reason);
  bool has_lost_lease(const Result<>& done) const noexcept;
  Async<> pause_for_lease(LiveTrans& live, StoreRetry& retry);
  Async<> wait_for_others(Pin pin, SteadyTime until);
  Async<Transaction> follow(Pin pin, SteadyTime until);

  ShardEnv& env_;
  LiveTable& live_;
  Loader& loader_;
  WakeUps& wakes_;
  StoreTrouble& trouble_;
  Changes& changes_;
  Passes& passes_;
  Journal& journal_;
  Patience& patience_;
  Topics topics_;
  const Tracing tracing_{env_};
};

}  // namespace concerto
