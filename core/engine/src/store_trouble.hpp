#pragma once

#include <optional>

#include <concerto/base/async.hpp>

#include "engine_log.hpp"
#include "live_trans.hpp"
#include "retry.hpp"
#include "shard_env.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Handles the trouble of the store. A change that the store was too busy for is tried again for a
/// while, and nothing that it carried is lost. After a change whose outcome is unknown the
/// transaction is read again later. On the shard's thread.
class StoreTrouble {
 public:
  StoreTrouble(ShardEnv& env, WakeUps& wakes, EngineLog& log)
      : env_(env), wakes_(wakes), log_(log) {}

  /// When to try a change again that the store answered with `answer`; nullopt if the answer
  /// stands.
  std::optional<SteadyTime> try_again_at(const LiveTrans& live, const Result<>& answer,
                                         StoreRetry& retry);
  /// Waits until `until`, or until a stop. The caller keeps the turn, so that the next request for
  /// this transaction waits too.
  Task<void> pause_for_store(LiveTrans& live, SteadyTime until);
  /// The level of a line about what the store was too busy for. A store may
  /// have told its trouble itself, once for all changes.
  LogLevel level(LogLevel worst) const;
  /// After a request whose change has an unknown outcome: sets an alarm, so that the transaction is
  /// read again after a while, and driven if there is something to do. A driver sets this alarm
  /// itself.
  void find_out_later(const LiveTrans& live, const Error& error);

 private:
  ShardEnv& env_;
  WakeUps& wakes_;
  EngineLog& log_;
};

}  // namespace concerto
