#pragma once

#include <cstddef>
#include <cstdint>
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

/// Selects unfinished transactions; an absent member selects all of them.
struct BulkSelection {
  StatusSet statuses;  ///< of prepared, submitted and aborting; empty: any
  std::optional<TransType> type;
  std::optional<WallTime> created_from;  ///< inclusive
  std::optional<WallTime> created_to;    ///< inclusive
  TroubleFilter trouble;
  std::string topic;  ///< only what select_topic selects; empty: any

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

struct CONCERTO_EXPORT BulkPreview {
  static constexpr std::size_t sample_max = 20;

  std::size_t matched = 0;                     ///< at most the limit
  std::vector<Transaction> sample;             ///< the first of them, without branches and payloads
  std::vector<std::vector<std::string>> urls;  ///< Inspection::urls of each of the sample

  /// Counts a transaction that would be met, and keeps it as long as there is room.
  void add(const Transaction& trans, const ModeTable& modes);
};

/// What a request that names these transactions would meet now: those that are unfinished. A gid
/// that is there twice counts once. Changes nothing.
CONCERTO_EXPORT Async<BulkPreview> preview_named(Coordinator& coordinator, std::vector<Gid> gids);

/// A request that is carried out.
struct CONCERTO_EXPORT BulkJob {
  enum class State : std::uint8_t { running, done, cancelled, failed };
  struct Failure {
    Gid gid;
    std::string text;
    friend bool operator==(const Failure&, const Failure&) = default;
  };
  /// Further ones are only counted.
  static constexpr std::size_t failures_max = 20;

  std::string id;
  BulkRequest request;
  State state = State::running;
  std::string caller;  ///< the name of who asked for it; empty if nobody knows
  /// Transactions that begin later are not selected; in a store that several coordinators can
  /// share, those that begin more than a second later.
  WallTime created{};
  WallTime updated{};
  std::size_t done = 0;
  std::size_t failed = 0;  ///< transactions for which the action was refused
  std::vector<Failure> failures;
  std::string trouble;   ///< why it has failed, or waits
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

enum class BulkCountBy : std::uint8_t { status, type, target, topic, age };

struct BulkCounts {
  std::size_t total = 0;
  std::vector<BulkCount> groups;  ///< the largest first
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

  /// Lets the jobs of the store go on. Call it once, after the coordinator's recovery has begun.
  void start();
  /// Ends running jobs at their next step; they go on after the next start.
  Task<void> stop();

  /// What a request would meet now. Changes nothing.
  Async<BulkPreview> preview(BulkRequest request);
  /// Stores a job, which then runs. Error invalid_request: a request that cannot be carried out.
  Async<BulkJob> begin(BulkRequest request, RequestContext context = {});
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
