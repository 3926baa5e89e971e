#pragma once

#include <chrono>
#include <optional>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>

#include "changes.hpp"
#include "engine_log.hpp"
#include "journal.hpp"
#include "live_table.hpp"
#include "shard_env.hpp"
#include "tracing.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Makes the calls to branches and applications, and records what their results mean. On the
/// shard's thread.
class Calls {
 public:
  /// `tasks` may be constructed later than this object.
  Calls(ShardEnv& env, WakeUps& wakes, Changes& changes, EngineLog& log, Journal& journal,
        TaskGroup& tasks);

  /// Begins all calls that the mode wants now. They run beside the driver.
  void start(const Pin& pin, const Next& next);
  /// Makes a call that `CallStates::begin` has noted, unless the status has changed since then.
  Task<void> call_branch(Pin pin, std::uint32_t index, TransStatus called_in);

 private:
  Task<void> call_application(Pin pin, TransStatus called_in);
  Task<void> pause_branch(Pin pin, std::uint32_t index);
  SteadyTime begin_call(LiveTrans& live, BranchCall& call) const;
  void end_call(LiveTrans& live, const BranchCall& call, BranchReply& reply, SteadyTime start);
  void keep_attempt(const BranchCall& call, const BranchReply& reply,
                    std::chrono::nanoseconds took);
  bool may_begin(const LiveTrans& live, TransStatus called_in) const noexcept;
  bool counts(const LiveTrans& live, TransStatus called_in) const noexcept;
  Effect effect_of(const LiveTrans& live, const Branch& branch, Outcome outcome);
  void record(const Pin& pin, std::uint32_t index, TransStatus called_in, BranchReply reply);
  void record_query(LiveTrans& live, TransStatus called_in, BranchReply reply);
  static void note_outcome(LiveTrans& live, BranchReply reply, std::optional<std::uint32_t> index,
                           IntervalKind kind);

  ShardEnv& env_;
  WakeUps& wakes_;
  Changes& changes_;
  EngineLog& log_;
  Journal& journal_;
  TaskGroup& tasks_;
  const Tracing tracing_{env_};
};

}  // namespace concerto
