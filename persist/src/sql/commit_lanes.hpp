#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include <concerto/base/mutex.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/store_probe.hpp>

#include "../commit_request.hpp"
#include "row_changes.hpp"
#include "sql_pool.hpp"
#include "sql_watch.hpp"

namespace concerto::persist {

/// A change on its way to the database.
struct RowRequest : CommitRequest {
  /// Nothing: the request changes nothing, and is answered when the earlier changes of its gid, or
  /// of all gids of its lane if it has none, are written.
  std::variant<std::monostate, CreateRows, UpdateRows> rows;
  std::string gid;
  SteadyTime queued_at{};
};

/// Group commit to a database. Each lane has the changes of some gids, in the order of their
/// commits. While the group of a lane is under way, its next group gathers; no timer delays a
/// durable change. A group is one database transaction, and a change whose precondition does not
/// hold is left out of it.
///
/// A group that failed for a reason that passes is tried again at once, a few times. Then its
/// durable changes get store_busy, and its progress waits for a later group. If the answer to a
/// group was lost, the rows are read again before anybody is answered.
class CommitLanes {
 public:
  struct Limits {
    /// More lanes make smaller groups, which cost the database more for each change.
    std::size_t lanes = 1;
    std::size_t queue_changes_max = 65536;
    std::size_t queue_bytes_max = std::size_t{64} << 20;
    std::size_t group_changes_max = 256;
    std::size_t group_bytes_max = std::size_t{1} << 20;
    /// Progress waits so long for a durable change.
    std::chrono::milliseconds progress_delay_max{20};
    /// How long progress waits after a group that failed.
    std::chrono::milliseconds retry_after{250};
    /// A group is not tried again at once if it took longer than this.
    std::chrono::milliseconds tries_time_max{3'000};
  };

  /// All arguments must outlive this object. `executor` is the pool's.
  CommitLanes(Executor executor, SqlPool& pool, const Limits& limits, std::string this_node,
              const Clock& clock, Observer& observer, StoreProbe& probe, SqlWatch& watch);
  ~CommitLanes();

  void start();
  /// Writes what is queued, as far as the database can be reached, and answers everybody.
  Task<void> stop();

  /// Queues a durable change and suspends the calling coroutine, which runs on `executor`, until
  /// the answer. Both arguments belong to the calling coroutine. Thread-safe.
  Async<> commit(RowRequest& request, const Executor& executor);
  /// Queues progress. Thread-safe.
  Result<> commit_progress(std::unique_ptr<RowRequest> request);
  /// Returns when the changes of the gid that were queued before are written, or have failed. Error
  /// store_busy: one of them waits for the database, or its outcome is not known yet. Call it on
  /// the pool's executor.
  Async<> settle(std::string gid);
  /// The same for the changes of all gids. A poll calls it: nobody waits for a change of progress,
  /// whose lease may end while it is queued. A claim that overtakes the change would claim what it
  /// puts to rest, without the results in it.
  Async<> settle_all();

  // On the pool's executor:
  /// The database does not answer: answers the changes that wait and are not under way.
  void answer_waiting(const Error& error);
  /// From now on a lost answer that cannot be looked up is an unknown outcome.
  void give_up() noexcept { gives_up_ = true; }

 private:
  struct Entry;
  struct Lane;
  using Entries = std::vector<Entry*>;

  Result<> queue(RowRequest& request);
  void arrive();
  static bool would_wait(const Lane& lane, SteadyTime now);
  void put(Lane& lane, RowRequest& request);
  Async<> pass(Lane& lane, std::string gid);
  Lane& lane_of(std::string_view gid);
  Task<void> run(Lane& lane);
  Task<void> wait_for_work(Lane& lane);
  void gather(Lane& lane, std::list<Entry>& group);
  static bool join(Entry& entry, RowRequest& request);
  Task<void> write(Lane& lane, Entries entries);
  Task<bool> write_once(Lane& lane, Entries& entries, SteadyTime again_until);
  Task<void> split(Lane& lane, Entries entries, Error error);
  Task<void> explain(SqlLease& lease, Entries entries);
  Task<void> find_out(Lane& lane, Entries entries, BackendId backend);
  Async<std::vector<StoredTrans>> read_again(BackendId& backend, std::vector<std::string> gids);
  void answer(Lane& lane, std::list<Entry>& group);
  void answer_queued(Lane& lane, const Error& error);
  void put_back(Lane& lane, const std::deque<RowRequest*>& progress, const Error& error,
                Answers& answers);
  void count_queue() noexcept CONCERTO_REQUIRES(mutex_);
  void finish(RowRequest& request, const Result<>& result, Answers& answers);
  Task<void> pause(Lane& lane);

  Executor executor_;
  SqlPool& pool_;
  const Limits limits_;
  const std::string this_node_;
  const Clock& clock_;
  Observer& observer_;
  StoreProbe& probe_;
  SqlWatch& watch_;

  Mutex mutex_;
  RequestList arrived_ CONCERTO_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::size_t queued_changes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  bool closed_ CONCERTO_GUARDED_BY(mutex_) = false;

  // Used on the pool's executor alone:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unordered_map<std::string, std::size_t> pending_;  ///< changes by gid
  bool stopping_ = false;
  bool gives_up_ = false;
  TaskGroup tasks_;
};

/// The error of the Store port for an error of SqlErrc.
Error store_error(const Error& error);

}  // namespace concerto::persist
