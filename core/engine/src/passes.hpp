#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>

#include "calls.hpp"
#include "changes.hpp"
#include "engine_log.hpp"
#include "journal.hpp"
#include "leases.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "shard_env.hpp"
#include "tracing.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Carries out passes: what the mode wants is done until nothing runs and nothing may start. Then
/// the transaction waits, and the waiters of the pass are told its result. On the shard's thread.
class Passes {
 public:
  /// `tasks` may be constructed later than this object.
  Passes(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, Leases& leases,
         Changes& changes, EngineLog& log, Journal& journal, TaskGroup& tasks);

  /// Begins a pass because a request asks for one: the intervals begin anew. If a pass has begun
  /// and has called nobody yet, this pass is not queued any more. The pass begins with the
  /// request's turn, and may have ended when this returns.
  void try_now(Turn turn);
  /// Begins a pass of a woken transaction that has no driver. `slot`: the target of which it has a
  /// slot, empty if there is none.
  void wake(LiveTrans& live, Alarms::Wake wake, std::string slot);
  /// Makes the changes of status that the mode wants, until it wants none. The caller has the turn.
  Async<> settle(LiveTrans& live);

  /// Waits until a pass after the one numbered `seen` has ended, and returns its result.
  Async<> wait_for_pass(Pin pin, std::uint64_t seen, SteadyTime until);
  /// What the waiters of a pass are told about a transaction on which another coordinator works.
  Result<> answer_of(const Transaction& trans) const;
  /// Tells the waiters the result so far, before the pass has ended.
  void tell_waiters_now(LiveTrans& live) { tell_waiters(live, answer(live)); }

 private:
  /// What a driver does next.
  struct Move {
    enum class What : std::uint8_t {
      change,       ///< change the status
      save,         ///< store the successes that the next calls build on
      call,         ///< call `branch` and await the answer
      started,      ///< calls have been started beside the driver; decide again
      await_calls,  ///< await a call, or a pause between two calls of one row
      wait,         ///< end the pass, and let the transaction wait
      end,          ///< end the driver
    };
    What what;
    std::uint32_t branch = 0;
  };

  void start_driver(LiveTrans& live, Pass::Begun begun, Turn turn = {});
  Task<void> drive(Pin pin, Turn turn);
  Move next_move(const Pin& pin);
  static void leave_queue(LiveTrans& live);
  bool claim_target(LiveTrans& live, const Next& next);
  Next decide(const LiveTrans& live) const;
  Async<> change(LiveTrans& live);

  Async<> end_in_wait(LiveTrans& live);
  std::optional<WallTime> rest_after(const LiveTrans& live, const TransDelta& delta) const;
  static bool begins_anew(const LiveTrans& live) noexcept;
  static std::chrono::nanoseconds own_wait(const LiveTrans& live, WallTime now) noexcept;
  std::chrono::seconds next_interval(const LiveTrans& live, std::chrono::seconds base,
                                     std::chrono::nanoseconds own_wait) const;
  static std::string_view silent_target(const LiveTrans& live);
  void end_pass(LiveTrans& live, Result<> result, bool without_error);
  static void tell_waiters(LiveTrans& live, Result<> result);
  Result<> answer(const LiveTrans& live) const;

  ShardEnv& env_;
  const Tracing tracing_{env_};
  LiveTable& live_;
  Loader& loader_;
  WakeUps& wakes_;
  Leases& leases_;
  Changes& changes_;
  EngineLog& log_;
  Journal& journal_;
  TaskGroup& tasks_;
  Calls calls_;
  std::uint32_t nested_ = 0;  ///< how many drivers begin within each other
};

}  // namespace concerto
