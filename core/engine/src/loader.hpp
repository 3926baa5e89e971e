#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <concerto/base/async.hpp>
#include <concerto/base/mutex.hpp>

#include "engine_log.hpp"
#include "live_table.hpp"
#include "shard_env.hpp"
#include "tracing.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Whether `known`, a transaction in memory, has everything that the store has of it.
bool has_all_of(const Transaction& known, const Transaction& stored);

/// Brings transactions into memory, removes them, and counts the unfinished ones.
///
/// A transaction counts while it is unfinished and this process knows it: it is in memory, or
/// WakeUps has it. On the shard's thread, except `add_to`.
class Loader {
 public:
  Loader(ShardEnv& env, LiveTable& live, WakeUps& wakes, EngineLog& log)
      : env_(env), live_(live), wakes_(wakes), log_(log) {}

  /// Waits for the turn of a transaction. The transaction need not exist.
  Task<Turn> enter(const Gid& gid);
  /// The turn if it is free, which saves the coroutine of `enter`; otherwise one that holds
  /// nothing.
  Turn enter_if_free(const Gid& gid) { return LiveTable::turn_if_free(live_.pin(gid)); }
  /// As `enter`, and loads the transaction. Error trans_not_found if there is none.
  Async<Turn> enter_existing(Gid gid, StatusSet taken = {});
  /// Reads the transaction from the store, unless it is in memory. The caller has the turn.
  ///
  /// If several coordinators share the store, this claims the transaction. One on which another
  /// coordinator works is taken from it if its status is in `taken`; otherwise the knowledge of it
  /// is `others` afterwards.
  Async<> load(LiveTrans& live, StatusSet taken = {});
  /// Takes over a transaction that this coordinator has claimed. `live` is new, and the caller has
  /// the turn.
  [[nodiscard]] Result<> add_claimed(LiveTrans& live, Transaction&& trans, SteadyTime lease_end);
  /// Whether `live` is what the store has, so that the store need not be asked.
  bool is_current(const LiveTrans& live) const noexcept;
  /// Whether `live` is what the store has, as far as this coordinator knows, and may be shown.
  bool may_show(const LiveTrans& live) const noexcept;
  /// Whether the timeout of a transaction is over. It is in the status in which it times out.
  bool is_timed_out(const LiveTrans& live) const;
  /// Takes over a transaction that has just been created in the store.
  void add_new(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode);
  /// Sets the alarm of the timeout in force, if there is one.
  void arm_timeout(const LiveTrans& live);
  /// As `arm_timeout`, if the alarm is missing and the timeout is not over. That is so after a
  /// change that was not stored: the alarm was due before, or never set.
  void arm_missing_timeout(const LiveTrans& live);
  /// The transaction is finished or does not exist: removes its alarms, and counts it no longer.
  void forget(LiveTrans& live);
  /// `live` has left the table of transactions in memory.
  void leave_memory(LiveTrans& live);

  /// Notes the transactions that end from now on. Called before the store lists unfinished ones.
  void begin_recovery() { ended_.emplace(); }
  void end_recovery() { ended_.reset(); }
  bool has_ended(const Gid& gid) const { return ended_ && ended_->contains(gid); }
  /// Before a poll: also notes the transactions that are put to rest.
  void note_rest(const Gid& gid);
  /// Whether what a poll has claimed since `begin_recovery` may be older than a change of this
  /// shard.
  bool may_be_old(const Gid& gid) const;
  /// Counts a transaction that the store has listed as unfinished.
  void count_listed(const UnfinishedTrans& unfinished);

  /// Notes whether a transaction that was asked for is damaged, as the store has it.
  void look_at(const Gid& gid, const std::optional<Transaction>& stored);
  /// The transactions whose rows or custom_data are damaged, with the reasons. On any thread.
  std::unordered_map<Gid, std::string> damaged() const;
  /// Adds the numbers of unfinished transactions to `sum`. On any thread.
  void add_to(InFlight& sum) const noexcept;

 private:
  std::chrono::seconds timeout_of(const LiveTrans& live) const;
  Async<> load_shared(LiveTrans& live, StatusSet taken);
  Async<Claimed> claim(Gid gid, Claim how);
  void note_others(LiveTrans& live, const Result<Claimed>& claimed) const;
  Result<> accept(LiveTrans& live, std::optional<Transaction> found);
  void tell_damage(const Gid& gid, const Error& error);
  void forget_damage(const Gid& gid);
  void adopt(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode);
  void count(LiveTrans& live);
  void count_unfinished(TransType type, int difference);

  ShardEnv& env_;
  const Tracing tracing_{env_};
  LiveTable& live_;
  WakeUps& wakes_;
  EngineLog& log_;
  /// Of these the operator has been told; with the reason.
  mutable Mutex damage_mutex_;
  std::unordered_map<Gid, std::string> told_damaged_ CONCERTO_GUARDED_BY(damage_mutex_);
  std::optional<std::unordered_set<Gid>> ended_;  ///< in recovery: what has ended meanwhile
  /// Written by the shard only, read by metrics; so is `unfinished_`.
  std::atomic<std::size_t> damaged_ = 0;
  /// By type.
  std::array<std::atomic<std::size_t>, trans_types> unfinished_{};
};

}  // namespace concerto
