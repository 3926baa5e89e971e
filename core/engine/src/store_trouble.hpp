#pragma once

#include <optional>

#include <concerto/base/async.hpp>

#include "engine_log.hpp"
#include "live_trans.hpp"
#include "retry.hpp"
#include "shard_env.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// What a store's trouble means for transactions. A change that the store was too busy for is tried
/// again for a while, and what it carried is not lost; of a change whose outcome is not known the
/// store tells later. On the shard's thread.
class StoreTrouble {
 public:
  StoreTrouble(ShardEnv& env, WakeUps& wakes, EngineLog& log)
      : env_(env), wakes_(wakes), log_(log) {}

  /// When a change is to be tried again that the store answered so, nullopt if the answer stands.
  std::optional<SteadyTime> try_again_at(const LiveTrans& live, const Result<>& answer,
                                         StoreRetry& retry);
  /// With the turn: the next request for this transaction waits too. A stop ends the pause.
  Task<void> pause_for_store(LiveTrans& live, SteadyTime until);
  /// A store that recovers may have made a change that a request heard nothing of: looks at the
  /// transaction after a while, and drives it if there is something to do. A driver does so itself.
  void find_out_later(const Gid& gid, const Error& error);

 private:
  ShardEnv& env_;
  WakeUps& wakes_;
  EngineLog& log_;
};

}  // namespace concerto
