#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>

#include "changes.hpp"
#include "engine_log.hpp"
#include "inspector.hpp"
#include "journal.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "passes.hpp"
#include "requests.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// The transactions of one shard: puts the parts together, wakes transactions, recovers and stops.
/// Everything runs on the shard's thread. The modes decide, the parts carry out.
class Engine {
 public:
  Engine(ShardPorts ports, Store& store, const Clock& clock, const CoordinatorOptions& options,
         const ModeTable& modes);
  ~Engine();

  Executor executor() const { return env_.ports.executor; }
  Requests& requests() noexcept { return requests_; }

  Async<std::optional<Inspection>> inspect(Gid gid);
  /// Those whose last trouble in the journal has this text in its answer.
  Task<std::vector<Gid>> with_error(std::string text);
  /// Tells the observer what was asked of more than one transaction.
  Task<void> tell(std::string what, RequestContext context, Result<> result);
  using Waiting = WakeUps::Waiting;
  /// As WakeUps::take_waiting.
  Task<Waiting> take_waiting(std::chrono::seconds beyond, std::size_t limit, std::uint64_t round);

  /// Before the store lists unfinished transactions: notes which end from now on.
  Task<void> begin_recovery();
  /// Sets the alarms of unfinished transactions that the store listed since `begin_recovery`.
  Task<void> recover(std::vector<UnfinishedTrans> transactions);
  /// Waits by the shard's timers. False when a stop has begun.
  Task<bool> pause_until(SteadyTime at);
  Task<void> set_limits(CoordinatorLimits limits);
  /// Takes no more requests and starts no more calls.
  Task<void> begin_stop();
  /// Returns when nothing runs any more; what still runs at `deadline` is cancelled.
  Task<void> finish_stop(SteadyTime deadline);

  InFlight in_flight(SteadyTime now) const noexcept;
  /// Adds how many transactions wait because of calls that had errors, by target.
  Task<void> count_waiting(std::map<std::string, std::size_t>& by_target);
  /// Create time of the oldest transaction that waits, WallTime::max() without one.
  Task<WallTime> oldest_unfinished();

 private:
  Task<void> wake(Alarms::Wake wake, std::string slot);
  void recover_one(const UnfinishedTrans& unfinished, const Mode& mode);

  ShardEnv env_;
  Journal journal_;
  LiveTable live_;
  WakeUps wakes_;
  EngineLog log_;
  Loader loader_;
  StoreTrouble trouble_;
  Changes changes_;
  Passes passes_;
  Requests requests_;
  Inspector inspector_;
  TaskGroup tasks_;
};

}  // namespace concerto
