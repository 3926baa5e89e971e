#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/io_thread.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>

#include "changes.hpp"
#include "engine_log.hpp"
#include "inspector.hpp"
#include "journal.hpp"
#include "leases.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "passes.hpp"
#include "patience.hpp"
#include "requests.hpp"
#include "resets.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// The engine of one shard: puts the parts together, wakes transactions, recovers them and stops.
/// The modes decide, and the parts carry out the decisions. On the shard's thread, except
/// in_flight.
class Engine {
 public:
  Engine(ShardPorts ports, Store& store, const Clock& clock, const CoordinatorOptions& options,
         const ModeTable& modes);
  ~Engine();

  Executor executor() const { return env_.ports.executor; }
  ThreadCheck& thread() const noexcept { return env_.ports.timers.thread(); }
  /// How many coroutines of the coordinator use this object. On any thread.
  std::atomic<std::size_t>& uses() noexcept { return uses_; }
  /// Whether nothing runs that refers to this object.
  bool is_idle() const noexcept {
    return uses_.load() == 0 && tasks_.size() == 0 && leases_.is_idle();
  }
  /// Cancels everything that runs.
  void cancel() {
    patience_.give_up_all();
    tasks_.cancel();
    leases_.cancel();
  }
  Requests& requests() noexcept { return requests_; }
  Patience& patience() noexcept { return patience_; }

  Async<std::optional<Inspection>> inspect(Gid gid);
  /// As Journal::with_error.
  Task<std::vector<Gid>> with_error(std::string text);
  /// As Journal::last_errors.
  Task<std::unordered_map<Gid, std::string>> last_errors();
  /// Tells the observer about a request for topics or for many transactions.
  Task<void> tell(std::string what, RequestContext context, Result<> result);
  /// Tells the operator what the store refuses of a request about no transaction in particular, or
  /// of a poll.
  Task<void> tell_refusal(Error error);
  Task<void> tell_failed_poll(Error error);
  using Waiting = WakeUps::Waiting;
  /// As WakeUps::take_waiting.
  Task<Waiting> take_waiting(std::chrono::seconds beyond, std::size_t limit, std::uint64_t round);
  Resets& resets() noexcept { return resets_; }

  /// Notes the transactions that end from now on. Called before the store lists unfinished ones.
  Task<void> begin_recovery();
  /// Sets the alarms of the unfinished transactions that the store has listed since
  /// `begin_recovery`.
  Task<void> recover(std::vector<UnfinishedTrans> transactions);
  /// A poll begins: returns how many due transactions this shard can wake. Nullopt: the poll must
  /// claim nothing (see Changes::any_is_past_lease).
  Task<std::optional<std::size_t>> begin_poll();
  /// Wakes what the poll has claimed of this shard. `asked`: when the poll asked the store.
  Task<void> end_poll(std::vector<Transaction> claimed, SteadyTime asked);
  /// Waits while the coordinator is paused. False if a stop has begun.
  Task<bool> wait_until_begun(const std::atomic<bool>& paused);
  /// Ends the pause of this shard.
  Task<void> begin();
  /// Resumes those that wait for the begin.
  Task<void> tell_begun();
  /// Runs the polls of all shards until the stop of this one.
  Task<void> start_polls(Task<void> polls);
  /// Waits until the next poll. False if a stop has begun.
  Task<bool> pause_until_poll(SteadyTime at);
  /// The time between two polls, with its random part.
  std::chrono::nanoseconds poll_interval() const;

  /// Waits until `at`. False if a stop has begun.
  Task<bool> pause_until(SteadyTime at);
  Task<void> set_limits(CoordinatorLimits limits);
  Task<void> set_pauses(std::shared_ptr<const PauseList> pauses);
  /// Takes no more requests and starts no more calls.
  Task<void> begin_stop(SteadyTime deadline);
  /// Returns when nothing runs any more; what still runs at `deadline` is cancelled.
  Task<void> finish_stop(SteadyTime deadline);

  InFlight in_flight(SteadyTime now) const noexcept;
  /// Adds the transactions whose rows or custom_data are damaged, unless they are there. On any
  /// thread.
  void add_damage(std::map<std::string, DamagedRecord>& by_name) const;
  /// Adds to `by_target` how many transactions wait for each target.
  Task<void> count_waiting(std::map<std::string, std::size_t>& by_target);
  /// The create time of the oldest transaction that waits, WallTime::max() without one.
  Task<WallTime> oldest_unfinished();

 private:
  Task<void> wake(Alarms::Wake wake, std::string slot);
  void tell_unread(const LiveTrans& live, const Error& error);
  bool is_left_alone(const Error& error) const noexcept;
  bool begin_pass(LiveTrans& live, Alarms::Wake wake, std::string& slot);
  bool rests_longer(const LiveTrans& live, const Alarms::Wake& wake, bool was_queued) const;
  void wake_claimed(Transaction trans, SteadyTime lease_end);
  void recover_one(const UnfinishedTrans& unfinished, const Mode& mode);

  ShardEnv env_;
  Journal journal_;
  LiveTable live_;
  WakeUps wakes_;
  EngineLog log_;
  Loader loader_;
  StoreTrouble trouble_;
  Leases leases_;
  Changes changes_;
  Passes passes_;
  Patience patience_;
  Requests requests_;
  Resets resets_;
  Inspector inspector_;
  Notifier poll_wanted_;
  Notifier begun_;
  SteadyTime stop_until_ = SteadyTime::max();
  std::atomic<std::size_t> uses_{0};
  TaskGroup tasks_;
};

}  // namespace concerto
