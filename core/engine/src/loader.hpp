#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <unordered_set>

#include <concerto/base/async.hpp>

#include "live_table.hpp"
#include "shard_env.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// How transactions get into memory and leave it, and how many are unfinished.
///
/// A transaction is counted while it is unfinished and this process knows of it: in memory, or
/// among those of the wake-ups. On the shard's thread, but for `add_to`.
class Loader {
 public:
  Loader(ShardEnv& env, LiveTable& live, WakeUps& wakes) : env_(env), live_(live), wakes_(wakes) {}

  /// Waits for the turn of a transaction, whatever is known of it.
  Task<Turn> enter(const Gid& gid);
  /// As `enter`; error trans_not_found if there is none.
  Async<Turn> enter_existing(Gid gid);
  /// Reads what is not known. By whoever has the turn.
  Async<> load(LiveTrans& live);
  /// The transaction was created in the store.
  void add_new(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode);
  /// Sets the alarm of the timeout in force, if there is one.
  void arm_timeout(const LiveTrans& live);
  /// The transaction is finished, or was never there.
  void forget(LiveTrans& live);
  /// The transaction has left the table of those in memory.
  void leave_memory(LiveTrans& live);

  /// Before the store lists unfinished transactions: notes which end from now on.
  void begin_recovery() { ended_.emplace(); }
  void end_recovery() { ended_.reset(); }
  bool has_ended(const Gid& gid) const { return ended_ && ended_->contains(gid); }
  /// Counts a transaction that the store listed.
  void count_listed(const UnfinishedTrans& unfinished);

  /// Adds the numbers of unfinished transactions. On any thread.
  void add_to(InFlight& sum) const noexcept;

 private:
  void adopt(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode);
  void count(LiveTrans& live);
  void count_unfinished(TransType type, int difference);

  ShardEnv& env_;
  LiveTable& live_;
  WakeUps& wakes_;
  std::optional<std::unordered_set<Gid>> ended_;  ///< while the store lists: what ended meanwhile
  /// By type. Written by the shard only, read by metrics.
  std::array<std::atomic<std::size_t>, trans_types> unfinished_{};
};

}  // namespace concerto
