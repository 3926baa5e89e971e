#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/timers.hpp>
#include <concerto/engine/coordinator.hpp>

#include "alarms.hpp"
#include "live_table.hpp"
#include "target_slots.hpp"

namespace concerto {

/// Wakes the waiting transactions of one shard, and limits how many of them call one target at a
/// time.
///
/// A transaction waits for a target if its pass ended in an error of a call to that target; after
/// errors of several targets, for the one whose error came last. `Alarms` keeps these transactions
/// by target, so that transactions without errors have no cost here.
///
/// When a target answers any call, transactions that wait for the target are woken, as many as
/// `TargetSlots` has room for; each of them that is answered wakes more. A woken transaction that
/// gets an error wakes no other, and from then on it waits for its time alone: however often a
/// target comes and goes, it shortens each wait only once. While all transactions of a target wait
/// for long, no call may show that the target is back. So one of them is tried at intervals, on
/// behalf of all.
///
/// On the shard's thread, except `add_to`.
class WakeUps {
 public:
  /// Begins to wake a transaction. `WakeUps::ended` is called when that is done. `slot`: the target
  /// of which a slot is taken for the transaction, empty if there is none.
  using Start = std::function<void(Alarms::Wake wake, std::string slot)>;

  /// The references outlive this object; `options` may change.
  WakeUps(const ShardPorts& ports, const CoordinatorOptions& options, const LiveTable& live,
          Start start);

  const Alarms& alarms() const noexcept { return alarms_; }
  const TargetSlots& slots() const noexcept { return slots_; }

  /// Adds an unfinished transaction, without an alarm. False if it was added before.
  bool add(const Gid& gid, TransType type, WallTime create_time);
  /// Forgets a transaction; returns its type if it was added.
  std::optional<TransType> remove(const Gid& gid);

  /// Sets the alarm for the next pass. `target`: the target that the transaction waits for until
  /// then; empty if it waits for its time alone.
  void set_next_pass(const Gid& gid, SteadyTime at, std::string_view target = {});
  void set_timeout(const Gid& gid, SteadyTime at);
  /// Cancels both alarms.
  void cancel(const Gid& gid);
  /// A pass begins: cancels the alarm for the next pass, and takes the transaction out of the queue
  /// of a target. Returns the wake that was queued, if there was one.
  std::optional<Alarms::Wake> begin_pass(const Gid& gid);

  /// Takes a slot for the transaction that `wake` woke. If none is free, the transaction is queued,
  /// and the result is false.
  bool take_slot(std::string_view target, Alarms::Wake wake);
  void give_back_slot(const std::string& target, TargetSlots::Use use);
  /// Whether any transaction waits for a target.
  bool any_waits_for_target() const noexcept { return alarms_.any_waits(); }
  /// The target has answered a call: wakes transactions that wait for the target.
  void wake_waiting(std::string_view target);

  /// Whether the transaction has an alarm, or is queued for a slot.
  bool has(const Gid& gid) const;
  /// How many further transactions may be woken now.
  std::size_t room() const noexcept;
  /// The engine wakes a transaction by itself. `ended` is called when that is done.
  void begin() noexcept { ++in_progress_; }

  /// What `Start` began has ended. `slot` is not empty if the transaction did not use its slot,
  /// which is then given back.
  void ended(std::string slot);
  /// Sets the timer anew: there may be room in memory for other transactions, or the limits have
  /// changed.
  void set_next_alarm();
  void set_limits(const CoordinatorLimits& limits);
  /// Ends the pause with which the coordinator has started (CoordinatorOptions::starts_paused).
  void begin_waking();
  /// From now on nothing is woken.
  void stop();

  struct Waiting {
    std::vector<Gid> gids;
    bool has_more = false;  ///< the round has more transactions
  };
  /// The next transactions of a round of resets: at most `limit` whose next pass is more than
  /// `beyond` away. A new round begins with the first transaction and ends the round before it,
  /// whose other transactions are left to later requests.
  Task<Waiting> take_waiting(std::chrono::seconds beyond, std::size_t limit, std::uint64_t round);
  /// The create time of the oldest transaction that waits, WallTime::max() without one.
  Task<WallTime> oldest_unfinished();

  /// Adds the counts of this object to `sum`. On any thread.
  void add_to(InFlight& sum, SteadyTime now) const noexcept;

 private:
  bool wakes_nothing() const noexcept { return stopping_ || paused_; }
  bool has_room() const noexcept;
  void wake_due();
  void start(Alarms::Wake wake, std::string slot);
  void wake_one(std::string_view target, Alarms::Cause cause);
  void try_targets();
  void set_trial_timer();
  void count_queued() noexcept;

  Timers& timers_;
  const Executor executor_;
  const CoordinatorOptions& options_;
  const LiveTable& live_;
  const Start start_;
  Alarms alarms_;
  TargetSlots slots_;
  Timer alarm_timer_;
  Timer trial_timer_;
  std::size_t in_progress_ = 0;
  bool stopping_ = false;
  bool paused_;  ///< alarms are set, and nothing is woken
  std::uint64_t reset_round_ = 0;
  std::size_t reset_from_ = 0;  ///< up to which index of the alarms the round has come
  // Written by the shard only, read by metrics.
  std::atomic<std::size_t> alarm_count_{0};
  std::atomic<std::size_t> queued_count_{0};
  std::atomic<SteadyTime> earliest_alarm_{SteadyTime::max()};
};

}  // namespace concerto
