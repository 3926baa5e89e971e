#pragma once

#include <optional>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "engine_log.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// The leases of one shard's transactions, where several coordinators share the store (Ownership).
///
/// A transaction in memory that has a lease is this coordinator's. The leases of transactions that
/// have a driver are renewed at intervals, all in one call. No call to a branch begins when its
/// lease is about to end. When another coordinator has taken a transaction, the transaction is
/// forgotten here: its driver ends, and the results of calls that still run do not count. A
/// transaction that leaves memory unfinished is let go of first. On the shard's thread.
class Leases {
 public:
  Leases(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, StoreTrouble& trouble,
         EngineLog& log);

  /// Begins the renewals. They go on during a stop, as long as calls run.
  void start();
  /// Returns when every transaction that has left memory rests. Called when no task runs any more.
  Task<void> finish_stop();
  /// Cancels what `finish_stop` waits for.
  void cancel() { rests_.cancel(); }
  bool is_idle() const noexcept { return rests_.size() == 0; }

  /// Whether the lease of a transaction with a driver ends too soon for a call to begin.
  bool is_short(const LiveTrans& live) const noexcept {
    return !is_final(live.trans.status) && live.lease_end < env_.now() + left_min;
  }
  /// Renews the lease of a transaction until it is not short. The caller has the turn. Error
  /// lease_lost.
  Async<> hold(LiveTrans& live);
  /// Whether the coordinator from which the transaction was taken may still make calls.
  bool others_may_call(const LiveTrans& live) const noexcept {
    return !env_.stopping && env_.now() < live.others_until;
  }
  /// Waits until it makes no calls any more, or until a stop.
  Task<void> wait_for_others(Pin pin);
  /// A change that was sent at `sent` is stored.
  void stored(LiveTrans& live, SteadyTime sent, bool rests);
  /// Another coordinator works on the transaction.
  void lost(LiveTrans& live);
  /// Ends the lease of a transaction that leaves memory. Keeps the transaction while another
  /// coordinator may make calls from which it was taken.
  void let_go(LiveTrans& live);

  /// Until when the transaction rests after a pass: until its timeout, or `next` if that comes
  /// first.
  WallTime rest_until(const LiveTrans& live, WallTime next) const;
  /// Until when a transaction rests that is queued for a slot of its target.
  WallTime queued_until(const Transaction& trans, WallTime now) const;

 private:
  static constexpr std::chrono::seconds left_min{1};

  Async<bool> renew_or_claim(LiveTrans& live);
  Task<void> renew_all();
  Task<bool> renew_some(std::vector<Gid> gids);
  Task<void> put_to_rest(Pin pin, bool had_lease);
  WallTime idle_until(const LiveTrans& live) const;

  ShardEnv& env_;
  LiveTable& live_;
  Loader& loader_;
  WakeUps& wakes_;
  StoreTrouble& trouble_;
  EngineLog& log_;
  Timer timer_;
  TaskGroup rests_;  ///< goes on until the last transaction has left memory
};

/// The error of a change or renewal of a transaction on which another coordinator works.
Error lease_lost(const Gid& gid);

}  // namespace concerto
