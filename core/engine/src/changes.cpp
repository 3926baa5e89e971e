#include "changes.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

#include "draft.hpp"
#include "thrown.hpp"

namespace concerto {

namespace {

/// Moves the results that are not stored yet into `delta`: every change carries all results known
/// so far.
void take_unsaved(LiveTrans& live, TransDelta& delta) {
  std::vector<BranchChange>& carried = delta.branch_changes;
  if (carried.empty()) {
    carried = std::exchange(live.unsaved, {});
  } else {  // A change that is tried again.
    carried.insert(carried.end(), live.unsaved.begin(), live.unsaved.end());
    live.unsaved.clear();
  }
  if (std::exchange(live.retry_count_unsaved, false)) delta.retry_count = live.trans.retry_count;
  if (live.is_linked()) live.unlink();
  CONCERTO_ASSERT(fits(live.trans, delta));
}

/// If several coordinators share the store, another one may have changed the status too.
Error as_lost_lease(const LiveTrans& live, const Error& error) {
  return error.code == EngineErrc::status_mismatch ? lease_lost(live.gid) : error;
}

void fill_in(TransDelta& delta, StatusChange change, WallTime now) {
  delta.status = change.to;
  if (!change.rollback_reason.empty()) {
    delta.rollback_reason = truncated_reason(std::move(change.rollback_reason));
  }
  if (!change.result.empty()) delta.result = std::move(change.result);
  delta.at = now;
  if (change.to == TransStatus::submitted) delta.submit_time = now;
}

/// Whether a change stores results and nothing else. Such a change may be made twice.
bool has_results_alone(TransDelta delta) {
  delta.at = {};
  delta.retry_count.reset();
  delta.branch_changes.clear();
  return delta == TransDelta();
}

}  // namespace

Changes::Changes(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes,
                 StoreTrouble& trouble, Leases& leases, EngineLog& log, TaskGroup& tasks)
    : env_(env),
      live_(live),
      loader_(loader),
      wakes_(wakes),
      trouble_(trouble),
      leases_(leases),
      log_(log),
      tasks_(tasks),
      progress_timer_(env.ports.timers, [this] { tasks_.spawn(save_progress()); }) {}

void Changes::stop() {
  progress_timer_.cancel();
  tasks_.spawn(save_progress());
}

Async<> Changes::commit(LiveTrans& live, TransDelta&& delta, Durability durability,
                        std::optional<WallTime> rests_until) {
  return make(live, &delta, {}, durability, rests_until);
}

Async<> Changes::commit_results(LiveTrans& live, Durability durability) {
  return make(live, nullptr, {}, durability, std::nullopt);
}

Async<> Changes::change_status(LiveTrans& live, StatusChange change) {
  return make(live, nullptr, std::move(change), Durability::durable, std::nullopt);
}

/// One coroutine for all kinds of changes. `asked` or `status` says what is to be changed, beside
/// the results that are not stored yet.
Async<> Changes::make(LiveTrans& live, TransDelta* asked, std::optional<StatusChange> status,
                      Durability durability, std::optional<WallTime> rests_until) {
  CONCERTO_ASSERT(live.turn.is_taken);
  const TransStatus expected = live.trans.status;
  Change change{UpdateTrans{live.gid, expected, {}, rests_until, &live.trans}, durability};
  TransDelta& delta = std::get<UpdateTrans>(change.what).delta;
  if (asked != nullptr) delta = std::move(*asked);
  if (status) fill_in(delta, std::move(*status), env_.clock.wall_now());
  CONCERTO_ASSERT(!delta.status || may_become(expected, *delta.status));
  if (delta.at == WallTime{}) delta.at = env_.clock.wall_now();
  Result<> committed = ok();
  SteadyTime sent{};
  const auto span = tracing_.begin_commit(live);
  for (StoreRetry retry(env_.options.store_busy_max);;) {
    if (is_past_lease(live)) {
      committed = co_await leases_.hold(live);
      if (!committed) break;
    }
    take_unsaved(live, delta);
    if (env_.ownership != nullptr) sent = env_.now();
    OnItsWay on_its_way(live);
    if (env_.ownership != nullptr) on_their_way_.push_back(on_its_way);
    try {
      committed = co_await env_.store.commit(change);
    } catch (...) {
      committed = make_error(EngineErrc::store_failed, thrown_by("the store"));
    }
    if (env_.ownership != nullptr) on_its_way.unlink();
    const auto again = trouble_.try_again_at(live, committed, retry);
    if (!again) break;
    co_await trouble_.pause_for_store(live, *again);
  }
  tracing_.end_commit(span, live.gid, *live.mode, committed);
  if (env_.ownership != nullptr) {
    // A poll has found meanwhile that another coordinator had changed the transaction.
    if (live.knowledge != LiveTrans::Knowledge::present) co_return lease_lost(live.gid);
    if (!committed) committed = as_lost_lease(live, committed.error());
  }
  if (!committed) {
    note_not_stored(live, std::move(delta), rests_until.has_value(), committed.error());
    co_return committed;
  }
  // Nobody else has changed the transaction while the change was stored.
  CONCERTO_ASSERT(live.turn.is_taken && live.trans.status == expected);
  apply(live.trans, delta);
  if (env_.ownership != nullptr) {
    if (delta.status) live.others_until = {};  // The other coordinator's calls have other ops.
    leases_.stored(live, sent, rests_until.has_value());
  }
  if (status) note_status(live);
  co_return ok();
}

/// After the end of a lease others may have changed the transaction, and a poll may have claimed it
/// again. Then the store would accept a change that builds on what memory has.
bool Changes::is_past_lease(const LiveTrans& live) const noexcept {
  if (env_.ownership == nullptr || is_final(live.trans.status)) return false;
  return env_.now() >= live.lease_end;
}

bool Changes::any_is_past_lease() const noexcept {
  return std::any_of(on_their_way_.begin(), on_their_way_.end(),
                     [this](const OnItsWay& change) { return is_past_lease(change.live); });
}

/// Does what follows from a new status.
void Changes::note_status(LiveTrans& live) {
  live.timed_out = false;
  live.calls.restart(live.trans.branches.size());
  if (is_final(live.trans.status)) {
    loader_.forget(live);
    env_.observer.transaction_ended(live.trans);
  } else if (live.mode->times_out_in != live.trans.status) {
    wakes_.cancel(live.gid);
  }
  if (env_.observer.logs(LogLevel::debug)) {
    log_.write(LogLevel::debug, live, "status " + std::string(to_string(live.trans.status)));
  }
  live.progressed.notify_all();
}

/// Does what follows when a change was not stored, or may not have been.
void Changes::note_not_stored(LiveTrans& live, TransDelta delta, bool rests, const Error& error) {
  if (error.code == EngineErrc::lease_lost) return leases_.lost(live);
  const bool is_busy = error.code == EngineErrc::store_busy;
  // One line is enough, because all changes fail for the same reason.
  log_.write_limited(is_busy ? trouble_.level(LogLevel::error) : LogLevel::error, live,
                     "changes that are not stored", "change not stored: " + error.detail, 1);
  const bool is_unknown = error.code == Condition::outcome_unknown;
  if (is_busy || (is_unknown && !rests && has_results_alone(delta))) {
    // Nothing was changed, or the change may be made twice. So the results that it carried count as
    // not stored, and no call begins that builds on them.
    live.unsaved.insert(live.unsaved.begin(), delta.branch_changes.begin(),
                        delta.branch_changes.end());
    live.retry_count_unsaved |= delta.retry_count.has_value();
    if (live.has_unsaved() && !env_.stopping) mark_unsaved(live);
    return;
  }
  // Only the store can tell what is stored now, and whether the lease has ended with the change.
  live.knowledge = LiveTrans::Knowledge::none;
  live.lease_end = {};
  if (env_.ownership != nullptr) loader_.note_rest(live.gid);
  if (!live.is_driven()) trouble_.find_out_later(live, error);
}

void Changes::mark_unsaved(LiveTrans& live) {
  CONCERTO_ASSERT(live.has_unsaved());
  if (!live.is_linked()) unsaved_.push_back(live);
  if (!progress_timer_.is_set()) progress_timer_.set(env_.now() + env_.options.progress_delay);
}

Task<void> Changes::save_progress() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!unsaved_.empty()) {
    Pin pin = live_.pin(unsaved_.front().gid);
    pin->unlink();
    Turn turn = co_await live_.take_turn(pin);
    if (turn->knowledge != LiveTrans::Knowledge::present) continue;
    if (!turn->has_unsaved() || is_final(turn->trans.status)) continue;
    if (env_.ownership != nullptr && !turn->has_lease()) continue;  // The calls are repeated.
    // If results are lost, calls are repeated, which the protocol allows. commit has logged the
    // error.
    const Result<> saved = co_await commit_results(*turn, Durability::progress);
    // The results are stored when the timer is due. Others would meet the same error now.
    if (!saved && turn->is_linked()) break;
  }
}

}  // namespace concerto
