#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../sql/sql_connection.hpp"
#include "mysql_dialect.hpp"
#include "mysql_text.hpp"

namespace concerto::persist {

/// What the texts of statements depend on.
struct MysqlTerms {
  WallZone zone{std::nullopt};
  std::string node;  ///< this node's id
  LeaseTimes lease;
  MysqlDialect dialect;
};

/// The statements of the store, except those that write groups (mysql_group.hpp). Times of leases
/// and "due" come from the database's clock: NOW() shows the wall clock of the DATETIME columns,
/// because the session has their zone.
///
/// A table that a reference created compares texts without regard to case. What finds a row by its
/// gid or key compares bytes too, or its caller compares.
namespace mysql {

using Statements = std::vector<std::string>;

/// Columns of a select of transactions; then follow `is_due` and whether the row was claimed.
inline constexpr unsigned trans_columns = 18;
/// Columns of a select of branches after the gid.
inline constexpr unsigned branch_columns = 8;

/// What a new session sets and asks: its packet limit, whether the server takes no writes, and the
/// name of the client's end.
Statements setup(const MysqlTerms& terms, std::chrono::seconds now_east_of_utc,
                 std::chrono::seconds lock_wait);

/// Statements that need the rights of any change, and change nothing.
Statements check_write();

/// Transactions with their branches: a row for each branch.
std::string load(const MysqlTerms& terms, const std::vector<std::string>& gids);

/// One transaction: reads the rows and whether they may be claimed, claims them, reads branches.
/// Results 2 and 4 have rows.
Statements claim(const MysqlTerms& terms, const std::vector<ClaimRow>& rows);

/// Rows that are due, for each unfinished status. With locks if the dialect has SKIP LOCKED; then a
/// transaction has begun.
Statements find_due(const MysqlTerms& terms, std::size_t limit);
/// Begins a transaction and locks those of the rows that are still due.
Statements lock_due(const MysqlTerms& terms, const std::vector<std::int64_t>& ids);
/// Claims locked rows and reads their branches (result 1), and commits.
Statements take(const MysqlTerms& terms, const std::vector<std::int64_t>& ids,
                const std::vector<std::string>& gids);

/// The branches of transactions, with their gids, in order.
std::string branches(const MysqlTerms& terms, const std::vector<std::string>& gids);

/// One transaction; result 2 has the gids that are this node's.
Statements renew(const MysqlTerms& terms, const std::vector<std::string>& gids);
std::string let_go(const MysqlTerms& terms, const std::string& gid, RowTime until);
/// Which rows that rest, or are the reference's, are asked for.
struct Resting {
  TransStatus status = TransStatus::submitted;
  std::chrono::seconds beyond{};
  RowTime unchanged_since = 0;
  std::size_t limit = 0;
};
/// For one status: each has its own range of the index, in the order of next_cron_time. For all of
/// them the server would sort every row that rests.
std::string resting(const MysqlTerms& terms, const Resting& rows);
std::string backlog(const MysqlTerms& terms, std::size_t limit);
std::string scan(const MysqlTerms& terms, std::int64_t from, std::size_t limit);
/// How many rows have one of the statuses; not more than `most` are counted.
std::string count_some(const MysqlTerms& terms, const std::vector<std::string>& statuses,
                       std::size_t most);
/// For statuses that few rows have: the others are not looked at.
std::string list_rare(const MysqlTerms& terms, const ListRows& filter);
/// How many ids `list_part` looks at, so that it ends soon when few rows are what is asked for.
inline constexpr std::int64_t list_part_ids = 20'000;
/// Looks at the newest rows alone. Result 1 has those that are listed, and result 2 the newest id;
/// null: there are no more rows.
Statements list_part(const MysqlTerms& terms, const ListRows& filter);

std::string find_kv(const MysqlTerms& terms, const std::string& cat, const std::string& key,
                    const std::string& after, std::size_t limit);
std::string create_kv(const MysqlTerms& terms, const KvRow& row);
std::string update_kv(const MysqlTerms& terms, const KvRow& row);
std::string delete_kv(const MysqlTerms& terms, const std::string& cat, const std::string& key);

/// Rows of kv in this category are those of ZoneRecords. A search in all categories leaves them
/// out.
inline constexpr std::string_view zone_category = "concerto-time-zone";

std::string look_at_zones(const MysqlTerms& terms);
std::string add_zone(const MysqlTerms& terms, const std::string& host);
std::string renew_zone(const MysqlTerms& terms, const std::string& host);
std::string remove_zone(const MysqlTerms& terms);
std::string remove_zones(const MysqlTerms& terms, const std::vector<ZoneRecord>& records);

/// Begins a transaction and locks rows that finished before then: their ids and gids.
Statements find_finished(const MysqlTerms& terms, TransStatus status, RowTime before,
                         std::size_t limit);
Statements remove(const MysqlTerms& terms, const std::vector<std::int64_t>& ids,
                  const std::vector<std::string>& gids);

/// The id of the server's session with these low 32 bits, if its client's end has this checksum.
std::string find_session(std::uint32_t id, std::uint32_t client);
std::string end_session(const MysqlTerms& terms, std::int64_t id);

}  // namespace mysql
}  // namespace concerto::persist
