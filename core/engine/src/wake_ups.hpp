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

/// When the waiting transactions of one shard are woken, and which of them may work on a target.
///
/// A transaction waits because of a target when a call to that target ended its pass in an error;
/// of several targets it is the one whose error came last. `Alarms` keeps the waiting transactions
/// by target, so that one which meets no error comes nowhere near it.
///
/// Any call that a target answers wakes transactions that wait for it, as many as `TargetSlots`
/// has room for; each that is answered in turn wakes more. One whose call fails wakes nobody and
/// waits for its own time from then on: however often a target changes its mind, a wait is cut
/// short once. As nobody might call a target while all wait for long, one transaction is tried for
/// all others at intervals.
///
/// On the shard's thread, but for `add_to`.
class WakeUps {
 public:
  /// Begins to wake a transaction, and calls `ended` when that is done. `slot`: the target at
  /// which a slot is taken for it, empty if at none.
  using Start = std::function<void(Alarms::Wake wake, std::string slot)>;

  /// The references outlive this object; `options` may change.
  WakeUps(const ShardPorts& ports, const CoordinatorOptions& options, const LiveTable& live,
          Start start);

  const Alarms& alarms() const noexcept { return alarms_; }
  const TargetSlots& slots() const noexcept { return slots_; }

  /// Adds an unfinished transaction, without an alarm. False if it is there already.
  bool add(const Gid& gid, TransType type, WallTime create_time);
  /// Forgets a transaction; returns its type if it was added.
  std::optional<TransType> remove(const Gid& gid);

  /// The alarm for the next pass. `target`: what the transaction waits for until then, empty if for
  /// its time alone.
  void set_next_pass(const Gid& gid, SteadyTime at, std::string_view target = {});
  void set_timeout(const Gid& gid, SteadyTime at);
  /// Cancels both alarms.
  void cancel(const Gid& gid);
  /// A pass begins: no alarm wakes the transaction, and it is in no queue of a target. Returns what
  /// it was woken for if it was in one.
  std::optional<Alarms::Wake> begin_pass(const Gid& gid);

  /// Takes a slot for a transaction that `wake` woke. Without a free one it is queued, and the
  /// answer is false.
  bool take_slot(std::string_view target, Alarms::Wake wake);
  void give_back_slot(const std::string& target, TargetSlots::Use use);
  /// Whether any transaction waits for a target.
  bool any_waits_for_target() const noexcept { return alarms_.any_waits(); }
  /// The target has answered a call.
  void wake_waiting(std::string_view target);

  /// What `Start` began has ended. A slot that was not used is given back.
  void ended(std::string slot);
  /// There may be room for others in memory, or other limits.
  void set_next_alarm();
  void set_limits(const CoordinatorLimits& limits);
  /// From now on nothing is woken.
  void stop();

  struct Waiting {
    std::vector<Gid> gids;
    bool has_more = false;  ///< the round has others
  };
  /// The next transactions of a round of resets that wait for longer than `beyond` from now, at
  /// most `limit`. A new round begins at the first one and ends the round before, wherever that
  /// is: what it has not visited is left to later requests.
  Task<Waiting> take_waiting(std::chrono::seconds beyond, std::size_t limit, std::uint64_t round);
  /// Create time of the oldest transaction that waits, WallTime::max() without one.
  Task<WallTime> oldest_unfinished();

  /// Adds its counts. On any thread.
  void add_to(InFlight& sum, SteadyTime now) const noexcept;

 private:
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
  std::uint64_t reset_round_ = 0;
  std::size_t reset_from_ = 0;  ///< how far its round has come, an index of the alarms
  // Written by the shard only, read by metrics.
  std::atomic<std::size_t> alarm_count_{0};
  std::atomic<std::size_t> queued_count_{0};
  std::atomic<SteadyTime> earliest_alarm_{SteadyTime::max()};
};

}  // namespace concerto
