#pragma once

#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>

#include <boost/intrusive/list.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>

#include "draft.hpp"
#include "journal.hpp"
#include "line_limit.hpp"
#include "live_table.hpp"
#include "retry.hpp"
#include "topics.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// The transactions of one shard: requests, passes over their branches, rests and recovery.
/// Everything runs on the shard's thread. The modes decide, the engine carries out.
class Engine {
 public:
  Engine(ShardPorts ports, Store& store, const Clock& clock, const CoordinatorOptions& options,
         const ModeTable& modes);
  ~Engine();

  Executor executor() const { return ports_.executor; }

  Async<> prepare(TransRequest request);
  Async<Transaction> prepare_workflow(TransRequest request);
  Async<> submit(TransRequest request);
  Async<> abort(TransRequest request);
  Async<> register_branch(BranchRequest request);
  Async<> force_stop(Gid gid);
  Async<> reset_next_cron_time(Gid gid);
  Async<std::optional<Transaction>> query(Gid gid);
  Async<std::optional<Inspection>> inspect(Gid gid);
  /// Those whose last trouble in the journal has this text in its answer.
  Task<std::vector<Gid>> with_error(std::string text);
  using Waking = WakeUps::Waking;
  /// As WakeUps::take_waking.
  Task<Waking> take_waking(std::chrono::seconds beyond, std::size_t limit, std::uint64_t round);

  /// Before the store lists unfinished transactions: notes which end from now on.
  Task<void> begin_recovery();
  /// Sets the alarms of unfinished transactions that the store listed since `begin_recovery`.
  Task<void> recover(std::vector<ActiveTrans> transactions);
  /// Waits by the shard's timers. False when a stop has begun.
  Task<bool> pause_until(SteadyTime at);
  Task<void> set_limits(CoordinatorLimits limits);
  /// Takes no more requests and starts no more calls.
  Task<void> begin_stop();
  /// Returns when nothing runs any more; what still runs at `deadline` is cancelled.
  Task<void> finish_stop(SteadyTime deadline);

  InFlight in_flight(SteadyTime now) const noexcept;
  /// Adds how many transactions rest because of calls that had errors, by target.
  Task<void> count_waiting(std::map<std::string, std::size_t>& by_target);
  /// Create time of the oldest transaction that rests, WallTime::max() without one.
  Task<WallTime> oldest_unfinished();

 private:
  // How a transaction gets into memory (engine_load.cpp).
  Task<Turn> enter(const Gid& gid);
  Async<> load(LiveTrans& live);
  Async<Turn> enter_existing(Gid gid);
  void adopt(LiveTrans& live, Transaction trans, CustomData custom, const Mode& mode);
  void forget(LiveTrans& live);
  void leave_memory(LiveTrans& live);
  void count(LiveTrans& live);
  void count_unfinished(TransType type, int difference);

  // Requests (engine.cpp).
  Async<> resolve_topics(TransRequest& request);
  Result<> admit(const LiveTrans& live, const Draft& draft) const;
  Async<> create(LiveTrans& live, Draft& draft, TransStatus status);
  Async<bool> create_or_load(LiveTrans& live, Draft& draft, TransStatus status);
  Async<> submit_existing(LiveTrans& live, Draft& draft);
  Async<> submit_end(Draft draft);
  Async<> begin_abort(LiveTrans& live, std::string reason);
  void try_now(LiveTrans& live);
  Async<> wait_for_pass(Pin pin, std::uint64_t seen, SteadyTime until);

  // Passes (engine_pass.cpp).
  void start_driver(LiveTrans& live, Pass::Begun begun);
  Task<void> drive(Pin pin);
  /// What a driver does next.
  struct Move {
    enum class What : std::uint8_t {
      change,   ///< the status
      save,     ///< successes on which the next calls build
      call,     ///< `branch`, alone
      started,  ///< calls run beside the driver; look again
      wait,     ///< for what runs
      rest,     ///< until there is something to do again
      end,
    };
    What what;
    std::uint32_t branch = 0;
  };
  Move next_move(const Pin& pin);
  bool claim_target(LiveTrans& live, const Next& next);
  Next decide(const LiveTrans& live) const;
  Async<> settle(LiveTrans& live);
  void start_calls(const Pin& pin, const Next& next);
  Task<void> call_branch(Pin pin, std::uint32_t index, TransStatus called_in);
  Task<void> call_application(Pin pin, TransStatus called_in);
  Task<void> pause_branch(Pin pin, std::uint32_t index);
  SteadyTime begin_call(const LiveTrans& live, BranchCall& call) const;
  void end_call(LiveTrans& live, const BranchCall& call, BranchReply& reply, SteadyTime start);
  void keep_attempt(const BranchCall& call, const BranchReply& reply,
                    std::chrono::nanoseconds took);
  void record(const Pin& pin, std::uint32_t index, TransStatus called_in, BranchReply reply);
  void record_query(LiveTrans& live, TransStatus called_in, BranchReply reply);
  void note_outcome(LiveTrans& live, BranchReply reply, std::optional<std::uint32_t> index,
                    Rest rest);

  // The end of a pass (engine_rest.cpp).
  Async<> rest(LiveTrans& live);
  static bool begins_anew(const LiveTrans& live) noexcept;
  static std::chrono::nanoseconds own_pause(const LiveTrans& live, WallTime now) noexcept;
  std::chrono::seconds next_interval(const LiveTrans& live, std::chrono::seconds base,
                                     std::chrono::nanoseconds own_pause) const;
  static std::string_view silent_target(const LiveTrans& live);
  void end_pass(LiveTrans& live, Result<> result, bool without_error);
  void tell_waiters(LiveTrans& live, Result<> result);
  Result<> answer(const LiveTrans& live) const;
  static Error shut_down(const LiveTrans& live);
  std::chrono::seconds timeout_of(const Transaction& trans, const Mode& mode) const;

  // Changes (engine_changes.cpp).
  Async<> commit(LiveTrans& live, TransDelta delta, Durability durability);
  Async<> change_status(LiveTrans& live, StatusChange change);
  void mark_unsaved(LiveTrans& live);
  Task<void> save_progress();

  // A store in trouble (engine_store.cpp).
  std::optional<SteadyTime> try_again_at(const LiveTrans& live, const Result<>& answer,
                                         StoreRetry& retry);
  Task<void> pause_for_store(LiveTrans& live, SteadyTime until);
  void note_not_stored(LiveTrans& live, TransDelta delta, const Error& error);
  void find_out_later(const Gid& gid, const Error& error);
  static Error pass_not_stored(const LiveTrans& live, Error error);

  // Alarms and recovery (engine_alarms.cpp).
  void recover_one(const ActiveTrans& active, const Mode& mode);
  void arm_timeout(const LiveTrans& live);
  Task<void> wake(Alarms::Due due, std::string slot);

  // Why a transaction is where it is (engine_inspect.cpp).
  Inspection explain(Transaction trans) const;
  std::string explain_rest(const Inspection& inspection) const;
  WallTime next_wake(const Transaction& trans) const;

  // What an operator reads (engine_log.cpp).
  void log(LogLevel level, const LiveTrans& live, const std::string& text) const;
  void log_limited(LogLevel level, const LiveTrans& live, std::string_view thing,
                   const std::string& text, std::size_t lines = LineLimit::lines_max);
  bool admits_line(LogLevel level, std::string_view thing,
                   std::size_t lines = LineLimit::lines_max);
  void log_trouble(const LiveTrans& live, std::chrono::nanoseconds pause);
  void report_left_out(SteadyTime now);

  ShardPorts ports_;
  Store& store_;
  const Clock& clock_;
  CoordinatorOptions options_;
  const ModeTable& modes_;
  Topics topics_;
  LiveTable live_;
  boost::intrusive::list<LiveTrans, boost::intrusive::constant_time_size<false>> unsaved_;
  WakeUps wakes_;
  Timer progress_timer_;
  Timer log_timer_;
  LineLimit line_limit_;
  bool stopping_ = false;
  std::optional<std::unordered_set<Gid>> ended_;  ///< while the store lists: what ended meanwhile
  Journal journal_;
  // Written by the shard only, read by metrics.
  std::array<std::atomic<std::size_t>, trans_types> unfinished_{};
  TaskGroup tasks_;
};

}  // namespace concerto
