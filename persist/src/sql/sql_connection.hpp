#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/engine/store.hpp>

#include "row_changes.hpp"
#include "rows.hpp"
#include "sql_error.hpp"
#include "zone_watch.hpp"

namespace concerto::persist {

/// How leases are written into rows.
struct LeaseTimes {
  /// From now on, a row's next_cron_time is this far ahead when the row is claimed or changed.
  std::chrono::seconds in_row{15};
  /// A change renews the lease only if less than `in_row - slack` is left of it, because a new
  /// next_cron_time costs the database entries in its indexes.
  std::chrono::seconds slack{1};
};

/// A transaction to claim.
struct ClaimRow {
  std::string gid;
  Claim how = Claim::if_free;
};

/// Which rows a list shows: newest first, with an id below `before`.
struct ListRows {
  std::vector<std::string> statuses;  ///< empty: any
  std::optional<std::string> trans_type;
  std::optional<RowTime> created_from;
  std::optional<RowTime> created_to;
  std::optional<std::int64_t> before;
  std::size_t limit = 0;
  bool with_branches = false;
};

/// Statuses that no more rows have are rare: a list looks for their rows alone.
inline constexpr std::int64_t few_rows = 10'000;
/// Whether the statuses of a list can be rare. Empty: any status.
inline bool may_be_rare(const std::vector<std::string>& statuses) {
  return !statuses.empty() && std::ranges::find(statuses, "succeed") == statuses.end();
}

/// A row of kv.
struct KvRow {
  std::string cat;
  std::string key;
  std::string value;
  std::int64_t version = 1;
  RowTime create_time = 0;
  RowTime update_time = 0;
};

/// Which backend of the database serves a connection, so that a new connection can end it.
struct BackendId {
  std::int64_t process = 0;
};

/// A connection to a database, used by one coroutine at a time, on the executor of its connector.
///
/// Each function is one database transaction, and with `co_await` it is one round trip wherever
/// that can be. Errors are of SqlErrc. After `not_now` and `answer_lost` the connection is not
/// usable any more. A function without an answer until the time limit of statements ends the
/// connection (answer_lost). Functions that only read never end in answer_lost, but in not_now.
///
/// Gids are of the stored column. "Unfinished" is status prepared, submitted or aborting; "free"
/// means what Claim::if_free says.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  virtual bool is_usable() const noexcept = 0;
  virtual BackendId backend() const noexcept = 0;

  /// Whether the database refused what the last function asked for want of a right that another
  /// session of the same user may have by now.
  virtual bool may_lack_rights() const noexcept { return false; }

  /// The function under way ends as if the time limit of statements were over. From now on the
  /// connection is not usable.
  virtual void cut() noexcept {}

  /// The database's clock, in nanoseconds since 1970.
  virtual Async<std::chrono::nanoseconds> now() = 0;

  /// Fails if the database would refuse any change: for a lack of rights, because it is read-only,
  /// or because a table is missing. Changes nothing. Looks at the rights that the user has now.
  virtual Async<> check_write() = 0;

  /// Makes the changes of a group, all at once, and sets their `is_made`. A change whose
  /// precondition does not hold is left out, and the others are made.
  virtual Async<> write(RowGroup& group) = 0;

  /// Whole transactions as of one moment. A gid without a row is left out.
  virtual Async<std::vector<StoredTrans>> load(std::vector<std::string> gids) = 0;
  /// Reads as `load` does, and makes rows this node's if they are unfinished and may be claimed.
  /// Each `next_cron_time` and `owner` is the one from before.
  virtual Async<std::vector<StoredTrans>> claim(std::vector<ClaimRow> rows) = 0;
  /// Claims unfinished rows whose next_cron_time has come, the earliest first, at most `limit`.
  /// Leaves out what another transaction of the database has locked.
  virtual Async<std::vector<StoredTrans>> claim_due(std::size_t limit) = 0;
  /// Renews the leases of this node's unfinished rows. Returns the gids that are this node's.
  virtual Async<std::vector<std::string>> renew(std::vector<std::string> gids) = 0;
  /// Puts one of this node's unfinished rows to rest until then, if it is this node's.
  virtual Async<> let_go(std::string gid, RowTime until) = 0;
  /// The gids of rows that rest, or are the reference's, for longer than `beyond` from now, and
  /// have not changed after `unchanged_since`.
  virtual Async<std::vector<std::string>> resting(std::chrono::seconds beyond,
                                                  RowTime unchanged_since, std::size_t limit) = 0;

  /// The unfinished rows, counted by trans_type, and the oldest create_time. Counts at most `limit`
  /// rows.
  struct BacklogRows {
    std::vector<std::pair<std::string, std::size_t>> by_type;
    std::optional<RowTime> oldest;
  };
  virtual Async<BacklogRows> backlog(std::size_t limit) = 0;

  /// Unfinished rows without branches, with an id of at least `from`, in the order of ids.
  virtual Async<std::vector<StoredTrans>> scan_unfinished(std::int64_t from, std::size_t limit) = 0;
  virtual Async<std::vector<StoredTrans>> list(ListRows filter) = 0;

  /// Ordered by (cat, k), byte by byte. Empty texts mean any; only keys after `after` if that is
  /// not empty.
  virtual Async<std::vector<KvRow>> find_kv(std::string cat, std::string key, std::string after,
                                            std::size_t limit) = 0;
  /// False if the record exists.
  virtual Async<bool> create_kv(KvRow row) = 0;
  /// False if no record has this version. The stored version becomes one more.
  virtual Async<bool> update_kv(KvRow row) = 0;
  /// False if there is no such record.
  virtual Async<bool> delete_kv(std::string cat, std::string key) = 0;

  /// Deletes transactions with this final status that finished before then, with their branches, at
  /// most `limit`. Returns how many.
  virtual Async<std::size_t> delete_finished(TransStatus status, RowTime before,
                                             std::size_t limit) = 0;

  /// Ends the backend of a lost connection, and returns when no statement of it is under way any
  /// more. Only then can a read tell what became of its last group.
  virtual Async<> end_backend(BackendId backend) = 0;

  /// Returns when everything that a read shows now survives what an acknowledged change survives.
  /// Ending a backend can make a commit visible that no standby has.
  virtual Async<> await_standbys() { return nothing_to_await(); }

  /// What is wrong with the tables for this version: each missing table or column by its name.
  /// Empty: nothing. `has_none`: there is none of the tables.
  struct SchemaCheck {
    bool has_none = false;
    std::string wrong;
  };
  virtual Async<SchemaCheck> check_schema() = 0;
  virtual Async<> create_schema() = 0;
  /// Drops the tables, and nothing else.
  virtual Async<> drop_schema() = 0;

  /// Not null if the connector says has_zoneless_times.
  virtual ZoneRecords* zone_records() noexcept { return nullptr; }

 private:
  static Async<> nothing_to_await() { co_return ok(); }
};

/// Opens connections.
class SqlConnector {
 public:
  virtual ~SqlConnector() = default;

  /// Errors: not_now, no_connection_left, wrong_schema (the database does not exist, or does not
  /// let the user in).
  virtual Async<std::unique_ptr<SqlConnection>> connect() = 0;

  virtual RowLimits limits() const noexcept { return {}; }
  /// Whether rows show the wall clock of the zone of their writer, which all coordinators share.
  virtual bool has_zoneless_times() const noexcept { return false; }
  /// `postgres at db1:5432, database dtm`: for people, without passwords.
  virtual std::string place() const = 0;
};

}  // namespace concerto::persist
