#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/pause.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/engine/span.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>
#include <concerto/engine/wording.hpp>

namespace concerto {

class Engine;
class Pauses;
class ResetRounds;
class SharedRounds;
class Topics;

/// The limits of a coordinator. They may change while it runs (Coordinator::set_limits).
struct CoordinatorLimits {
  /// New transactions are refused while more transactions or bytes than this are in memory. For the
  /// whole coordinator; each shard has its part.
  std::size_t in_flight_max = 200'000;
  std::size_t in_flight_bytes_max = std::size_t{1} << 30;
  /// Waiting transactions that one shard may be waking at a time (retries, recovery): they are read
  /// from the store, and their passes begin.
  std::size_t wakes_in_progress_max = 1'000;
  /// Woken transactions of one shard that may call the same target at a time; the others are
  /// queued. A target that does not answer gets fewer.
  std::size_t wakes_per_target_max = 250;
  /// Transactions whose last attempts the journal keeps. For the whole coordinator; each shard has
  /// its part.
  std::size_t journal_transactions_max = 10'000;
};

struct CoordinatorOptions : CoordinatorLimits {
  /// How long an unfinished transaction waits for its next pass. The interval doubles with each
  /// pass that ends in an error, up to backoff_max.
  std::chrono::seconds retry_interval{10};
  std::chrono::seconds backoff_max{3600};
  /// The age at which the application of a prepared msg is asked, and at which a prepared tcc or xa
  /// rolls back. A transaction may name another one.
  std::chrono::seconds timeout_to_fail{35};
  /// The timeout of one call. A transaction may name another one.
  std::chrono::seconds request_timeout{3};
  /// How long the results of calls may stay in memory before they are written, if nothing waits for
  /// the write.
  std::chrono::milliseconds progress_delay{20};
  /// How long a change is tried again while the store is too busy for it (EngineErrc::store_busy).
  /// After that time a request is refused, and a transaction in a pass waits for retry_interval. A
  /// new transaction is refused after a quarter of a second.
  std::chrono::seconds store_busy_max{10};
  /// How long a request waits for the store's answer before its caller gets store_late (a query:
  /// store_busy), up to a second longer; and how long while the store does not serve.
  std::chrono::seconds store_answer_max{10};
  std::chrono::seconds away_answer_max{5};
  /// How often a coordinator looks for due transactions that no coordinator has an alarm for, if
  /// several share the store. Up to a quarter of the interval is left out or added at random.
  std::chrono::milliseconds poll_interval{3000};
  /// The coordinator starts paused: until `Coordinator::begin` it calls no service and takes no
  /// request that would lead to a call. For a store that was restored from a backup.
  bool starts_paused = false;
  /// What is recorded for traces (Observer::span_ended).
  TraceOptions trace;
  /// The texts of errors. The front ends of the protocol need those of
  /// concerto/protocol/odd_wordings.hpp.
  Wording wording;
};

/// What the coordinator needs of one shard. The references outlive the coordinator. One thread runs
/// the executor: several at once end the process (ThreadCheck).
struct ShardPorts {
  Executor executor;
  Timers& timers;
  BranchCaller& branches;
  RandomSource& random;
  Observer& observer;
};

/// Counts of a coordinator.
struct InFlight {
  std::size_t live = 0;     ///< transactions in memory
  std::size_t alarms = 0;   ///< transactions with an alarm, for their next pass or their timeout
  std::size_t bytes = 0;    ///< bytes of transactions in memory, mostly payloads
  std::size_t queued = 0;   ///< woken transactions that wait for a slot of their target
  std::size_t changes = 0;  ///< changes that wait for the store
  /// Unfinished transactions whose rows or custom_data are damaged, as far as this process has met
  /// them and not read them since.
  std::size_t damaged = 0;
  /// Unfinished transactions by type; the index is the value of the type.
  std::array<std::size_t, trans_types> unfinished{};
  /// How late the earliest alarm is: the time since it was due, zero if no alarm is due.
  std::chrono::nanoseconds lag{};
  std::uint64_t observer_exceptions = 0;  ///< exceptions that left observers, since the start
};

/// Selects transactions that are unfinished or have failed. An empty text selects all of them.
struct CONCERTO_EXPORT TroubleFilter {
  /// A part of one of Inspection::urls: a URL that an unfinished transaction calls next, or one at
  /// which a transaction has failed.
  std::string target;
  /// A part of the rollback reason. Of an unfinished transaction also a part of the answer to the
  /// last attempt that did not succeed, as long as the journal has that attempt.
  std::string error;

  bool empty() const noexcept { return target.empty() && error.empty(); }
  friend bool operator==(const TroubleFilter&, const TroubleFilter&) = default;
};

/// The coordinator of distributed transactions. It takes the requests of the protocol, keeps
/// transactions in a Store and calls services. Embed it in a program, or run concertod, whose front
/// ends use it.
///
/// A request may be made on any shard, or on an io_context that is no shard. The request runs on
/// the home shard of its gid and returns on the executor of its caller. Cancelling the caller does
/// not end the request, and neither does store_late, which tells only the caller. When a request
/// has succeeded, what it promises is durable.
///
/// Requests that change something take a RequestContext. Its deadline ends the caller's
/// waiting. The observer is told who stopped or reset transactions and who changed topics.
///
/// Errc and EngineErrc say what the errors mean. The texts are those of the protocol (pages 01 and
/// 02), with the wording of the options.
class CONCERTO_EXPORT Coordinator {
 public:
  /// At least one shard. `store` and `clock` outlive the coordinator.
  Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
              CoordinatorOptions options);
  /// With other modes than the five of the protocol (see docs/extending.md). `modes` outlives the
  /// coordinator.
  Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
              CoordinatorOptions options, const ModeTable& modes);
  /// If a stop has not ended everything, ends it now: running calls are cancelled, waiters get
  /// Errc::shutting_down, and what is not finished goes on after the next recovery. Returns when
  /// nothing refers to the coordinator any more. If no thread runs the shards, runs their
  /// io_contexts here meanwhile, with all else that can run in them. Not called by a task of the
  /// coordinator, such as a branch call.
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Reads the unfinished transactions from the store and sets their alarms. Requests may be made
  /// meanwhile. A busy store is asked again until it answers or a stop begins. If several
  /// coordinators share the store, nothing is read now: the polls for due transactions begin.
  Async<> recover();

  /// Whether the coordinator has started paused and has not begun. Such a coordinator answers
  /// queries; operators end transactions, skip branches, and change topics and pauses. Requests of
  /// applications and requests to try now get Errc::overloaded. Callable on any thread.
  bool is_paused() const noexcept { return paused_.load(); }
  /// Lets a coordinator that has started paused work. False, and without effect, if it is not
  /// paused.
  Task<bool> begin(RequestContext context = {});
  /// Waits while the coordinator is paused. False if a stop has begun, or the wait was cancelled.
  Task<bool> wait_until_begun();

  /// Replaces the limits. Transactions that are in memory beyond new limits go on.
  Task<void> set_limits(CoordinatorLimits limits);

  /// Takes no more requests, lets running calls end until `deadline`, cancels the others, and
  /// returns when nothing runs. Waiters get Errc::shutting_down.
  Task<void> stop(SteadyTime deadline);

  /// A new gid: a random number of 128 bits, written with 22 characters (page 01, section 7).
  static Gid new_gid(RandomSource& random);

  /// Creates a prepared transaction. Succeeds also if the transaction is prepared already (page 02,
  /// section 4.1).
  Async<> prepare(TransRequest request, RequestContext context = {});

  /// Creates a prepared workflow, or returns the stored one, whatever its status (section 4.7).
  Async<Transaction> prepare_workflow(TransRequest request, RequestContext context = {});

  /// Creates a submitted transaction, or changes a prepared one to submitted, and begins a pass.
  /// With options.wait_result the request returns when that pass has ended (page 02, section 5).
  /// With a workflow it stores the end that `request.extra` names, and nothing else (section 4.2).
  Async<> submit(TransRequest request, RequestContext context = {});

  /// Ends a prepared msg as failed; rolls back a prepared tcc or xa. If the stored options have
  /// wait_result, the request returns when one pass has ended (page 02, section 4.3).
  Async<> abort(TransRequest request, RequestContext context = {});

  /// Adds the rows of a branch to a prepared tcc, xa or workflow (page 02, section 4.6).
  Async<> register_branch(BranchRequest request, RequestContext context = {});

  /// Ends an unfinished transaction as failed. No branch is called any more (section 4.4). Its
  /// rollback_reason says that it was stopped, by whom (`context.caller`), where it was, and
  /// `reason`.
  Async<> force_stop(Gid gid, RequestContext context = {}, std::string reason = {});

  /// Wakes a waiting transaction (section 4.5).
  Async<> reset_next_cron_time(Gid gid, RequestContext context = {});

  /// Marks a row of an unfinished transaction as succeeded without a call, and wakes the
  /// transaction: an operator has done by hand what the branch should have done. If `row` leaves
  /// rows open, there has to be one alone; but then a repetition, after an outcome that is not
  /// known, may mean the next row. Errors: status_conflict (the transaction or the row has ended,
  /// the row is not called yet, it is being called, or another coordinator works on the
  /// transaction), invalid_entry (there is no such row, or several). The attempts of the
  /// transaction (Inspection::attempts) show it as a success, with `reason`.
  Async<> skip_branch(Gid gid, BranchRow row, RequestContext context = {}, std::string reason = {});

  /// Changes the URL or the payload of a row that has not been done, and wakes the transaction. The
  /// row need not be one that is called now if `edit.row` has both members; otherwise there has to
  /// be one alone that is called next. A transaction that is being processed is changed between two
  /// passes. What a call has done before is not undone. Errors: invalid_request (nothing to change,
  /// or a URL to which no call can be sent), invalid_entry (no such row, several, or no room),
  /// status_conflict (prepared or finished, a row that has ended, or no end of a pass for 2 s).
  Async<BranchEdited> edit_branch(BranchEdit edit, RequestContext context = {});
  /// What edit_branch would change now. Changes nothing, and claims nothing in a shared store.
  Async<BranchEdited> preview_edit(BranchEdit edit);

  struct Reset {
    std::size_t count = 0;       ///< transactions that were woken
    bool has_remaining = false;  ///< further requests will find others
  };
  /// Wakes at most `limit` of the transactions whose next pass is more than `beyond` away (section
  /// 7.3), those of all coordinators that share the store. `beyond` may be negative. Requests with
  /// the same `beyond`, each within a minute of the one before, make one round: each wakes other
  /// transactions, until has_remaining is false. Transactions that have ended meanwhile or cannot
  /// be read are passed over.
  Async<Reset> reset_cron_time(std::chrono::seconds beyond, std::size_t limit,
                               RequestContext context = {});

  /// The transaction with its branches, nullopt if there is none. Shows the durable status. Of a
  /// transaction in memory it shows progress too, which may not be durable yet.
  Async<std::optional<Transaction>> query(Gid gid);

  /// The transaction and the reasons for its state, nullopt if there is no such transaction.
  Async<std::optional<Inspection>> inspect(Gid gid);

  /// A page of transactions, newest first, without branches and payloads. `position` is empty, or
  /// the next_position of the page before. With a `trouble` only transactions that are unfinished
  /// or have failed are listed. Error invalid_request: the filter asks for owners, and nobody
  /// shares the store.
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit,
                        TroubleFilter trouble = {});

  /// The answer to the last attempt that did not succeed, of each transaction in the journal.
  Task<std::unordered_map<Gid, std::string>> last_errors();

  /// Topics of msg steps (page 02, section 8). Errors invalid_entry and key_not_found.
  Async<> subscribe(std::string topic, std::string url, std::string remark,
                    RequestContext context = {});
  Async<> unsubscribe(std::string topic, std::string url, RequestContext context = {});
  Async<> delete_topic(std::string topic, RequestContext context = {});

  /// Holds calls up until `resume`, also after a restart, and for all coordinators that share the
  /// store: the others notice at their next poll. `since` and `caller` are filled in. Errors:
  /// invalid_entry, status_conflict (it is paused already). What is held up waits for a while and
  /// then looks again, so `resume` alone lets it go on later; a retry (reset_next_cron_time) at
  /// once.
  Async<Pause> pause(Pause pause, RequestContext context = {});
  /// The errors with which `pause` would refuse this one, but for status_conflict. Changes nothing.
  Async<> check_new_pause(Pause pause);
  /// Error key_not_found.
  Async<> resume(PauseKind kind, std::string value, RequestContext context = {});
  Async<std::vector<Pause>> pauses();
  /// Tells of a transaction whether a pause of now holds up what it does next. Null if nothing is
  /// paused. Usable on any thread as long as this object lives.
  Async<HeldUp> held_up();

  /// Records of the key-value part of the store. An empty category or key means any.
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key);
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit);

  /// The modes of this coordinator. Callable on any thread.
  const ModeTable& modes() const noexcept { return modes_; }

  /// Whether several coordinators can share the store, so that transactions have owners. Callable
  /// on any thread.
  bool has_owners() const noexcept { return store_.ownership() != nullptr; }

  /// Callable on any thread. The shards are read one after the other, so the counts need not be of
  /// the same moment.
  InFlight in_flight() const noexcept;
  /// How many records of the store are damaged, as far as this process has met them and not read
  /// them since: the total of `damage`. Callable on any thread.
  std::size_t damaged_count() const;
  /// How many of these are transactions that cannot be read at all, so that no list has them.
  /// Callable on any thread.
  std::size_t unreadable_count() const;
  /// The first of these records by name that come after the name `after`, at most `max`. Each was
  /// left as it is. The total is that of all.
  Task<DamageReport> damage(std::size_t max, std::string after = {});

  /// For each target (see call_target): how many unfinished transactions wait because a call to the
  /// target ended in an error. A shard counts a thousand targets at most; others are missing.
  Task<std::map<std::string, std::size_t>> waiting_by_target();

  /// The unfinished transactions, those of all coordinators that share the store. Asks the store if
  /// several share it.
  Async<Backlog> backlog();

  /// The create time of the oldest unfinished transaction that waits, nullopt if none waits. Visits
  /// all waiting transactions, in small steps.
  Task<std::optional<WallTime>> oldest_unfinished();

 private:
  std::map<std::string, DamagedRecord> all_damage() const;
  bool is_idle() const noexcept;
  void end_here();
  Engine& home(const Gid& gid) noexcept;
  Task<void> poll();
  Task<bool> claim_due(Ownership& ownership);
  Async<> bound(RequestContext context, Async<> change);
  Async<> reset_own(std::chrono::seconds beyond, std::size_t limit, RequestContext context,
                    Reset& reset);
  Async<> reset_shared(Ownership& ownership, std::chrono::seconds beyond, std::size_t limit,
                       RequestContext context, Reset& reset);
  Async<> read_pauses();
  Async<> read_pauses_at_start();
  Async<std::vector<Gid>> reset_some(std::vector<Gid> gids, RequestContext context, Reset& reset);
  /// Tells the observer of the first shard, on that shard, about a request for a topic or for many
  /// transactions.
  Task<void> tell_all(std::string what, RequestContext context, Result<> result);

  Store& store_;
  const Clock& clock_;
  const ModeTable& modes_;
  std::atomic<bool> paused_;
  const std::unique_ptr<Topics> topics_;
  const std::unique_ptr<Pauses> pauses_;
  const std::unique_ptr<ResetRounds> reset_rounds_;
  const std::unique_ptr<SharedRounds> shared_rounds_;
  std::vector<std::unique_ptr<Engine>> engines_;
};

}  // namespace concerto
