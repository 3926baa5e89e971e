#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>

#include "calls.hpp"
#include "changes.hpp"
#include "engine_log.hpp"
#include "journal.hpp"
#include "live_table.hpp"
#include "shard_env.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Passes: what a mode wants is carried out until nothing runs and nothing may start. Then the
/// transaction waits until its time, and whoever waits for the pass is told. On the shard's thread.
class Passes {
 public:
  /// `tasks` may be constructed later than this object.
  Passes(ShardEnv& env, LiveTable& live, WakeUps& wakes, Changes& changes, EngineLog& log,
         Journal& journal, TaskGroup& tasks);

  /// Begins a pass because a request wants one: the intervals between its passes begin anew. A pass
  /// that has begun and called nobody yet waits in no queue any more.
  void try_now(LiveTrans& live);
  /// Begins a pass over a transaction that no driver works on. `slot`: the target at which it has a
  /// slot, empty if at none.
  void wake(LiveTrans& live, Alarms::Wake wake, std::string slot);
  /// Makes the changes that the mode wants, until it wants none. By whoever has the turn.
  Async<> settle(LiveTrans& live);

  /// Waits until a pass after the one numbered `seen` has ended, and returns its result.
  Async<> wait_for_pass(Pin pin, std::uint64_t seen, SteadyTime until);
  /// Tells who waits how the transaction stands, before its pass has ended.
  void tell_waiters_now(LiveTrans& live) { tell_waiters(live, answer(live)); }

 private:
  /// What a driver does next.
  struct Move {
    enum class What : std::uint8_t {
      change,       ///< the status
      save,         ///< successes on which the next calls build
      call,         ///< `branch`, alone
      started,      ///< calls run beside the driver; look again
      await_calls,  ///< or a pause between two calls of one row
      wait,         ///< until there is something to do again
      end,
    };
    What what;
    std::uint32_t branch = 0;
  };

  void start_driver(LiveTrans& live, Pass::Begun begun);
  Task<void> drive(Pin pin);
  Move next_move(const Pin& pin);
  bool claim_target(LiveTrans& live, const Next& next);
  Next decide(const LiveTrans& live) const;

  Async<> end_in_wait(LiveTrans& live);
  static bool begins_anew(const LiveTrans& live) noexcept;
  static std::chrono::nanoseconds own_wait(const LiveTrans& live, WallTime now) noexcept;
  std::chrono::seconds next_interval(const LiveTrans& live, std::chrono::seconds base,
                                     std::chrono::nanoseconds own_wait) const;
  static std::string_view silent_target(const LiveTrans& live);
  void end_pass(LiveTrans& live, Result<> result, bool without_error);
  static void tell_waiters(LiveTrans& live, Result<> result);
  Result<> answer(const LiveTrans& live) const;

  ShardEnv& env_;
  LiveTable& live_;
  WakeUps& wakes_;
  Changes& changes_;
  EngineLog& log_;
  Journal& journal_;
  TaskGroup& tasks_;
  Calls calls_;
};

}  // namespace concerto
