#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>
#include <concerto/engine/wording.hpp>

namespace concerto {

class Engine;
class ResetRounds;
class Topics;

/// What bounds a coordinator; may change while it runs.
struct CoordinatorLimits {
  /// New transactions are refused beyond these; per coordinator, divided among its shards.
  std::size_t in_flight_max = 200'000;
  std::size_t in_flight_bytes_max = std::size_t{1} << 30;
  /// Transactions that are being woken (retries, recovery): read from the store and begun, per
  /// shard.
  std::size_t wakes_in_progress_max = 1'000;
  /// Woken transactions that work on one target at a time, per shard; the others wait for them. A
  /// target that does not answer gets fewer.
  std::size_t wakes_per_target_max = 250;
  /// Transactions whose last attempts are kept, per coordinator, divided among its shards.
  std::size_t journal_transactions_max = 10'000;
};

struct CoordinatorOptions : CoordinatorLimits {
  /// The interval before a transaction is tried again; doubled after each error, up to backoff_max.
  std::chrono::seconds retry_interval{10};
  std::chrono::seconds backoff_max{3600};
  /// Age at which a prepared msg is asked for and a prepared tcc or xa is sent back, unless the
  /// transaction says otherwise.
  std::chrono::seconds timeout_to_fail{35};
  /// Time of one branch call, unless the transaction says otherwise.
  std::chrono::seconds request_timeout{3};
  /// How long results that nothing waits for may stay in memory before they are written.
  std::chrono::milliseconds progress_delay{20};
  /// How long a change is tried again that the store is too busy for (EngineErrc::store_busy).
  /// After that a request for it is refused, and a transaction in work waits for retry_interval.
  /// New transactions are refused within a quarter of a second.
  std::chrono::seconds store_busy_max{10};
  /// Of errors. The protocol's front ends need concerto/protocol/odd_wordings.hpp.
  Wording wording;
};

/// What the coordinator needs of one shard. The references outlive the coordinator.
struct ShardPorts {
  Executor executor;
  Timers& timers;
  BranchCaller& branches;
  RandomSource& random;
  Observer& observer;
};

/// Counts of one coordinator at one moment.
struct InFlight {
  std::size_t live = 0;    ///< transactions in memory
  std::size_t alarms = 0;  ///< transactions with an alarm: they wait for a time
  std::size_t bytes = 0;   ///< payload bytes of those in memory
  std::size_t queued = 0;  ///< woken ones that wait for room at their target
  /// Unfinished transactions by type, the index is the type's value.
  std::array<std::size_t, trans_types> unfinished{};
  /// For how long the alarm that is due longest has been due.
  std::chrono::nanoseconds lag{};
};

/// Selects among transactions that are unfinished or have failed; an empty text selects all.
struct TroubleFilter {
  /// A part of a URL that an unfinished transaction calls next, or at which one has failed
  /// (Inspection::urls).
  std::string target;
  /// A part of the reason for which it goes back or has failed; or, of an unfinished transaction,
  /// of the answer to its last attempt that did not succeed, as long as the journal has it.
  std::string error;

  bool empty() const noexcept { return target.empty() && error.empty(); }
};

/// The coordinator of distributed transactions: the requests of the protocol, over a Store and
/// branch services. Embed it, or let concertod's front ends drive it.
///
/// A request may be made on any of its shards (or on another io_context); it runs on the gid's
/// home shard and resumes on the caller's; cancelling the caller does not end it there. Once a
/// request succeeded, what it promised is durable.
/// What changes something takes the context of the one who asks: its deadline ends the waiting of
/// submit and abort, and the observer hears of who stopped, reset, or changed topics.
/// Error classes: see Errc; the texts are the protocol's (pages 01 and 02), with the options'
/// wording.
class Coordinator {
 public:
  /// At least one shard. `store` and `clock` outlive the coordinator.
  Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
              CoordinatorOptions options);
  /// With other modes than the five of the protocol (see docs/extending.md). `modes` outlives the
  /// coordinator.
  Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
              CoordinatorOptions options, const ModeTable& modes);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Reads what is unfinished from the store and resumes it. Requests may come in meanwhile. A busy
  /// store is asked again until it answers or a stop begins.
  Async<> recover();

  /// Replaces the limits; what is in work beyond them goes on.
  Task<void> set_limits(CoordinatorLimits limits);

  /// Takes no more requests, lets running branch calls end until `deadline`, cancels what is
  /// left and returns when nothing runs. Who still waits for a result gets Errc::shutting_down.
  Task<void> stop(SteadyTime deadline);

  /// A fresh gid: 22 characters of a 128-bit random number (page 01, section 7).
  static Gid new_gid(RandomSource& random);

  /// Creates a transaction as prepared; OK if it is prepared already (page 02, section 4.1).
  Async<> prepare(TransRequest request, RequestContext context = {});

  /// Creates a workflow as prepared, or returns the stored one, whatever its status (section 4.7).
  Async<Transaction> prepare_workflow(TransRequest request, RequestContext context = {});

  /// Creates a transaction as submitted or moves it from prepared to submitted, and processes it.
  /// With options.wait_result it returns when one pass over it ended (page 02, section 5). Of a
  /// workflow it stores the end that `request.extra` names (section 4.2).
  Async<> submit(TransRequest request, RequestContext context = {});

  /// Ends a prepared msg as failed; sends a tcc or xa back. With the stored options.wait_result
  /// it then returns when one pass over it ended (page 02, section 4.3).
  Async<> abort(TransRequest request, RequestContext context = {});

  /// Adds the rows of a branch to a prepared tcc, xa or workflow (page 02, section 4.6).
  Async<> register_branch(BranchRequest request, RequestContext context = {});

  /// Makes an unfinished transaction failed; no branch is called any more (section 4.4).
  Async<> force_stop(Gid gid, RequestContext context = {});

  /// Makes a waiting transaction due now (section 4.5).
  Async<> reset_next_cron_time(Gid gid, RequestContext context = {});

  struct Reset {
    std::size_t count = 0;       ///< transactions that are due now
    bool has_remaining = false;  ///< there are others, which the next requests get
  };
  /// Makes those due now that wait for longer than `beyond` from now, at most `limit` (section
  /// 7.3). `beyond` may be negative. Requests with the same `beyond` that follow each other within
  /// a minute make one round: until has_remaining is false, each gets other transactions. What has
  /// ended meanwhile or cannot be read is passed over.
  Async<Reset> reset_cron_time(std::chrono::seconds beyond, std::size_t limit,
                               RequestContext context = {});

  /// The transaction with its branches, nullopt if there is none. Shows durable status, and the
  /// progress of a transaction in work.
  Async<std::optional<Transaction>> query(Gid gid);

  /// The transaction and why it is where it is, nullopt if there is none.
  Async<std::optional<Inspection>> inspect(Gid gid);

  /// Pages through transactions, newest first, without branches and payloads. With a trouble only
  /// through those that are unfinished or have failed.
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit,
                        TroubleFilter trouble = {});

  /// Topics of msg steps (page 02, section 8). Errors invalid_entry and key_not_found.
  Async<> subscribe(std::string topic, std::string url, std::string remark,
                    RequestContext context = {});
  Async<> unsubscribe(std::string topic, std::string url, RequestContext context = {});
  Async<> delete_topic(std::string topic, RequestContext context = {});

  /// Records of the key-value part; an empty text means any.
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key);
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit);

  /// The modes that it knows. Callable on any thread.
  const ModeTable& modes() const noexcept { return modes_; }

  /// Callable on any thread; the numbers of the shards are read one after the other.
  InFlight in_flight() const noexcept;

  /// How many unfinished transactions wait because a call to a target had an error, by target as
  /// in call_target. A shard knows a thousand such targets; more are not in it.
  Task<std::map<std::string, std::size_t>> waiting_by_target();

  /// Create time of the oldest unfinished transaction that waits, nullopt without one. Looks at
  /// all of them in small steps.
  Task<std::optional<WallTime>> oldest_unfinished();

 private:
  Engine& home(const Gid& gid) noexcept;
  /// Tells the observer of the first shard, on that shard, what was asked of topics or of many
  /// transactions.
  Task<void> tell_all(std::string what, RequestContext context, Result<> result);

  Store& store_;
  const Clock& clock_;
  const ModeTable& modes_;
  const std::unique_ptr<Topics> topics_;
  const std::unique_ptr<ResetRounds> reset_rounds_;
  std::vector<std::unique_ptr<Engine>> engines_;
};

}  // namespace concerto
