#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/coordinator.hpp>

namespace concerto {

/// What an operator does to unfinished transactions.
enum class BulkAction : std::uint8_t {
  retry,  ///< Coordinator::reset_next_cron_time
  stop,   ///< Coordinator::force_stop
  skip,   ///< Coordinator::skip_branch
};

CONCERTO_EXPORT std::string_view to_string(BulkAction action) noexcept;
CONCERTO_EXPORT std::optional<BulkAction> bulk_action_from(std::string_view text) noexcept;

/// Adds to `filter` that a msg is selected if one of its rows has a URL that is subscribed to this
/// topic now: transactions do not keep the name of a topic. An empty `topic` changes nothing. Error
/// invalid_request: there is no such topic.
CONCERTO_EXPORT Async<> select_topic(Coordinator& coordinator, std::string topic,
                                     ListFilter& filter);

/// What BulkSelection::owner and the counts by owner call transactions that nobody has.
inline constexpr std::string_view no_owner = "nobody";

/// What the counts by topic call transactions that go to no subscriber of a topic. It is not a
/// topic, and no selection by topic.
inline constexpr std::string_view no_topic = "(none)";

/// What the counts by target call transactions that call no URL next. No selection by target.
inline constexpr std::string_view no_target = "(none)";

/// As select_topic, and adds that the transaction has this owner (BulkSelection::owner). Error
/// invalid_request also for an owner in a store that nobody shares.
CONCERTO_EXPORT Async<> select_own(Coordinator& coordinator, std::string topic, std::string owner,
                                   ListFilter& filter);

/// Selects unfinished transactions; an absent member selects all of them.
struct BulkSelection {
  StatusSet statuses;  ///< of prepared, submitted and aborting; empty: any
  std::optional<TransType> type;
  std::optional<WallTime> created_from;  ///< inclusive
  std::optional<WallTime> created_to;    ///< inclusive
  TroubleFilter trouble;
  std::string topic;  ///< only what select_topic selects; empty: any
  /// Only what this coordinator has the lease of (Owner::id), or no_owner; empty: any. Stores that
  /// nobody shares know no owners: error invalid_request.
  std::string owner;

  friend bool operator==(const BulkSelection&, const BulkSelection&) = default;
};

/// An action on all transactions of a selection, newest first.
struct BulkRequest {
  BulkAction action = BulkAction::retry;
  BulkSelection selection;
  BranchRow branch;  ///< of skip, which needs both members: a job that goes on skips no second row
  std::size_t limit = std::numeric_limits<std::size_t>::max();  ///< of transactions that are met
  std::string reason;

  friend bool operator==(const BulkRequest&, const BulkRequest&) = default;
};

/// Does to one transaction what a request asks for; the selection does not count. Errors are those
/// of the coordinator's function.
CONCERTO_EXPORT Async<> carry_out(Coordinator& coordinator, const BulkRequest& request, Gid gid,
                                  RequestContext context = {});

/// Why the action of a request would be refused for this transaction as it is, with all its rows;
/// ok if it would not be. Errors as carry_out has them, store_damaged among them, but that it
/// refuses to retry what is finished. It cannot know of a call that runs.
CONCERTO_EXPORT Result<> check_action(const BulkRequest& request, const Transaction& trans,
                                      const ModeTable& modes);

/// A transaction for which an action was or would be refused.
struct BulkFailure {
  Gid gid;
  std::string text;
  friend bool operator==(const BulkFailure&, const BulkFailure&) = default;
};

/// What an action would do now: `matched` becomes BulkJob::done, `refused` becomes its `failed`.
struct CONCERTO_EXPORT BulkPreview {
  static constexpr std::size_t sample_max = 20;
  static constexpr std::size_t failures_max = 20;
  /// More transactions are not looked at.
  static constexpr std::size_t met_max = 1'000'000;

  std::size_t matched = 0;  ///< for which it would be done
  std::size_t refused = 0;  ///< for which it would be refused
  /// Of those that match: transactions that a retry does not bring on, because pauses hold up what
  /// they do next.
  std::size_t held = 0;
  /// The coordinator was started paused: until its begin no job runs, and nobody is called.
  bool is_paused = false;
  bool is_complete = true;                     ///< false: there may be more
  std::vector<Transaction> sample;             ///< the first that match, without rows and payloads
  std::vector<std::vector<std::string>> urls;  ///< Inspection::urls of each of the sample
  std::vector<BranchRow> rows;        ///< of a skip: the row that it means, of each of them
  std::vector<BulkFailure> failures;  ///< the first that would be refused

  std::size_t met() const noexcept { return matched + refused; }
  /// Counts a transaction that matches, and keeps it as long as there is room.
  void add(const Transaction& trans, const ModeTable& modes);
  void add_refused(Gid gid, std::string why);
  /// Counts a transaction by what check_action says.
  void meet(const BulkRequest& request, const Transaction& trans, const ModeTable& modes);
  /// Counts it as held, too, if it is to be retried.
  void meet(const BulkRequest& request, const Transaction& trans, const ModeTable& modes,
            const HeldUp& is_held);
};

/// What a request that names these transactions would do now. A gid that is there twice counts
/// once; the request's selection does not count. Changes nothing.
CONCERTO_EXPORT Async<BulkPreview> preview_named(Coordinator& coordinator, BulkRequest request,
                                                 std::vector<Gid> gids);

/// A request that is carried out.
struct CONCERTO_EXPORT BulkJob {
  enum class State : std::uint8_t { running, done, cancelled, failed };
  using Failure = BulkFailure;
  /// Further ones are only counted.
  static constexpr std::size_t failures_max = BulkPreview::failures_max;

  std::string id;
  /// False: the record is damaged, or of another version. Then only id, times and trouble are
  /// known, the job is taken for failed, and nothing is done for it.
  bool is_readable = true;
  BulkRequest request;
  State state = State::running;
  std::string caller;    ///< the name of who asked for it; empty if nobody knows
  std::string audit_id;  ///< of the records of the request; empty: there are none
  /// Transactions that begin later are not selected; in a store that several coordinators can
  /// share, those that begin more than a second later.
  WallTime created{};
  WallTime updated{};
  std::size_t done = 0;
  std::size_t failed = 0;  ///< transactions for which the action was refused
  /// What `done` and `failed` have of the part of the list at `position`. Whoever goes on with the
  /// job after a crash meets that part again, and counts it anew.
  std::size_t part_done = 0;
  std::size_t part_failed = 0;
  std::vector<Failure> failures;
  std::string trouble;   ///< why it has failed, or waits; of answers: also for the begin
  std::string position;  ///< of the list, where it goes on

  friend bool operator==(const BulkJob&, const BulkJob&) = default;
};

CONCERTO_EXPORT std::string_view to_string(BulkJob::State state) noexcept;

/// How many unfinished transactions have something in common.
struct BulkCount {
  std::string value;
  std::size_t count = 0;
  WallTime oldest{};  ///< when the oldest of them was created
};

enum class BulkCountBy : std::uint8_t {
  status,
  type,
  target,  ///< the common text of Inspection::urls, or no_target; a transaction may have several
  topic,   ///< as select_topic has it, or no_topic
  age,
  /// The answer to the last attempt that did not succeed, as long as this coordinator's journal has
  /// it; otherwise the rollback reason; the common text of either (concerto/base/common_text.hpp).
  /// Empty: neither is known.
  error,
  owner,  ///< Owner::id or no_owner. Stores that nobody shares: error invalid_request
};

struct BulkCounts {
  /// More transactions are not counted, and no more different values.
  static constexpr std::size_t total_max = 1'000'000;
  static constexpr std::size_t values_max = 10'000;

  std::size_t total = 0;
  std::vector<BulkCount> groups;  ///< the largest first
  bool is_complete = true;        ///< false: there are more transactions or groups
};

/// How many unfinished transactions each of some pauses holds up.
struct PauseCounts {
  /// More unfinished transactions are not looked at, because pages show these numbers all the time.
  static constexpr std::size_t looks_max = 10'000;

  std::vector<std::size_t> waiting;  ///< in the order of the pauses
  bool is_complete = true;           ///< false: there were more unfinished transactions
};

/// Actions of operators on many transactions. A request becomes a job, which runs in small steps
/// beside everything else. Its record is in the key-value part of the store, so a job goes on after
/// a restart; what it has done since its last record is done again, which changes nothing for
/// transactions that were stopped or skipped. If several coordinators share the store, one that
/// ends leaves its job to another one.
///
/// Callable on any shard of the coordinator.
class CONCERTO_EXPORT BulkActions {
 public:
  /// The records that are kept; those of older jobs that have ended are removed.
  static constexpr std::size_t jobs_max = 100;

  /// `executor` and `timers` are those of one shard. All references outlive the object.
  BulkActions(Coordinator& coordinator, Store& store, const Clock& clock, Executor executor,
              Timers& timers, RandomSource& random);
  ~BulkActions();
  BulkActions(const BulkActions&) = delete;
  BulkActions& operator=(const BulkActions&) = delete;

  /// Told of each job that ends here, after that is stored.
  using OnEnd = std::function<Task<void>(BulkJob)>;
  /// Call it before `start`.
  void set_on_end(OnEnd on_end);

  /// Told once of each job whose record cannot be read (BulkJob::is_readable), on the shard.
  using OnUnreadable = std::function<void(const BulkJob&)>;
  /// Call it before `start`.
  void set_on_unreadable(OnUnreadable on_unreadable);

  /// Lets the jobs of the store go on. Call it once, after the coordinator's recovery has begun.
  void start();
  /// Ends running jobs at their next step; they go on after the next start.
  Task<void> stop();

  /// What a request would meet now. Changes nothing.
  Async<BulkPreview> preview(BulkRequest request);
  /// Stores a job, which then runs. Error invalid_request: a request that cannot be carried out.
  Async<BulkJob> begin(BulkRequest request, RequestContext context = {}, std::string audit_id = {});
  /// What a pause would hold up if it were in force. Changes nothing.
  Async<BulkPreview> preview_pause(Pause pause);
  Async<PauseCounts> waiting_for(std::vector<Pause> pauses);
  /// Ends a job at its next step. Error key_not_found.
  Async<BulkJob> cancel(std::string id);
  /// The newest first. With an `id` only this one.
  Async<std::vector<BulkJob>> jobs(std::string id, std::size_t limit);

  /// Counts the selected unfinished transactions; of the groups at most `groups_max`.
  Async<BulkCounts> count(BulkSelection selection, BulkCountBy by, std::size_t groups_max);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace concerto
