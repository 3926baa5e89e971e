#include <chrono>
#include <memory>
#include <thread>

#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>

#include <concerto/barrier/mysql.hpp>

namespace concerto {
namespace {

constexpr std::string_view default_table = "dtm_barrier.barrier";
constexpr std::size_t xid_bytes_max = 64;  // of its first part, in XA
// Half a second in all, for the end of a session.
constexpr int held_attempts_max = 100;
constexpr std::chrono::milliseconds held_pause{5};

using Rows = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

Error failed(MYSQL* connection) {
  return make_error(BarrierErrc::database_failed,
                    std::string("MySQL: ") + mysql_error(connection) + " (" +
                        std::to_string(mysql_errno(connection)) + ")");
}

Error wrong(std::string why) {
  return make_error(BarrierErrc::wrong_state, "MySQL: " + std::move(why));
}

bool runs(MYSQL* connection, std::string_view statement) {
  return mysql_real_query(connection, statement.data(), statement.size()) == 0;
}

Result<> run(MYSQL* connection, std::string_view statement) {
  if (!runs(connection, statement)) return failed(connection);
  return ok();
}

/// What the server said of its state in its last answer that was not an error.
unsigned server_status(MYSQL* connection) {
  unsigned status = 0;
  mariadb_get_infov(connection, MARIADB_CONNECTION_SERVER_STATUS, &status);
  return status;
}

/// Errors of the client's library: the server's answer, if there is one, is lost.
bool is_connection_broken(MYSQL* connection) {
  const unsigned error = mysql_errno(connection);
  return error >= CR_MIN_ERROR && error <= CR_MAX_ERROR;
}

std::string table_of(const BarrierRow& row) {
  return std::string(row.table.empty() ? default_table : row.table);
}

}  // namespace

bool MysqlConnection::is_in_transaction() const noexcept {
  return (server_status(connection_) & SERVER_STATUS_IN_TRANS) != 0;
}

/// Answers with errors do not say whether the server has rolled back, as after a deadlock. Another
/// answer does.
bool MysqlConnection::learn_whether_in_transaction() noexcept {
  if (mysql_errno(connection_) != 0 && !runs(connection_, "do 0")) return false;
  return is_in_transaction();
}

Result<> MysqlConnection::begin() {
  if (is_in_transaction()) return wrong("a transaction has begun already; enter() is for that");
  return run(connection_, "start transaction");
}

Result<> MysqlConnection::commit() {
  if (!learn_whether_in_transaction()) {
    return wrong("the transaction was ended before its work was done, by a deadlock for example");
  }
  if (runs(connection_, "commit")) return ok();
  Error error = failed(connection_);
  if (is_connection_broken(connection_)) {
    return make_error(BarrierErrc::commit_unknown, std::move(error.detail));
  }
  roll_back();
  return error;
}

void MysqlConnection::roll_back() noexcept {
  runs(connection_, "rollback");
}

Result<> MysqlConnection::require_transaction() {
  const bool begins_by_itself = (server_status(connection_) & SERVER_STATUS_AUTOCOMMIT) == 0;
  if (begins_by_itself || is_in_transaction()) return ok();
  return wrong("the barrier is not within a transaction");
}

/// Not INSERT IGNORE: it would cut values that are too long, and hide other errors.
Result<bool> MysqlConnection::insert(const BarrierRow& row) {
  const std::string statement = "insert into " + table_of(row) +
                                "(trans_type, gid, branch_id, op, barrier_id, reason) values(" +
                                literal(row.trans_type) + "," + literal(row.gid) + "," +
                                literal(row.branch_id) + "," + literal(row.op) + "," +
                                literal(row.barrier_id) + "," + literal(row.reason) + ")";
  if (runs(connection_, statement)) return true;
  if (mysql_errno(connection_) != ER_DUP_ENTRY) return failed(connection_);
  return is_same(row);
}

/// The collation of the table may take two gids for one, such as `Order` and `order `. To skip the
/// work of the second one would lose it. False: the row in the table is the one of `row`.
Result<bool> MysqlConnection::is_same(const BarrierRow& row) {
  const Result<std::string> gid = column_of("gid", row);
  // Who has read before in this transaction may not see the row that INSERT has met.
  if (!gid && mysql_errno(connection_) == 0) return false;
  if (!gid) return gid.error();
  if (*gid == row.gid) return false;
  return make_error(BarrierErrc::database_failed,
                    "MySQL: the table cannot tell gid '" + std::string(row.gid) + "' from '" +
                        *gid + "'; give its columns a collation that can, such as utf8mb4_bin");
}

Result<std::string> MysqlConnection::reason_of(const BarrierRow& row) {
  return column_of("reason", row);
}

Result<std::string> MysqlConnection::column_of(const char* column, const BarrierRow& row) {
  const std::string statement =
      std::string("select ") + column + " from " + table_of(row) +
      " where gid = " + literal(row.gid) + " and branch_id = " + literal(row.branch_id) +
      " and op = " + literal(row.op) + " and barrier_id = " + literal(row.barrier_id);
  CONCERTO_CHECK(run(connection_, statement));
  const Rows rows(mysql_store_result(connection_), &mysql_free_result);
  if (rows == nullptr) return failed(connection_);
  const MYSQL_ROW found = mysql_fetch_row(rows.get());
  if (found == nullptr || found[0] == nullptr) {
    return make_error(BarrierErrc::database_failed, "MySQL: the barrier's row is not there");
  }
  return std::string(found[0]);
}

std::string MysqlConnection::literal(std::string_view text) const {
  std::string quoted(2 * text.size() + 1, '\0');
  quoted.resize(mysql_real_escape_string(connection_, quoted.data(), text.data(), text.size()));
  return "'" + quoted + "'";
}

Result<> MysqlConnection::xa_start(std::string_view xid) {
  if (xid.size() > xid_bytes_max) {
    return make_error(Errc::invalid_request, "gid and branch_id '" + std::string(xid) +
                                                 "' are longer than the 64 bytes of an xid");
  }
  return run(connection_, "xa start " + literal(xid));
}

Result<> MysqlConnection::xa_end(std::string_view xid) {
  return run(connection_, "xa end " + literal(xid));
}

Result<> MysqlConnection::xa_prepare(std::string_view xid) {
  return run(connection_, "xa prepare " + literal(xid));
}

void MysqlConnection::xa_abort(std::string_view xid) noexcept {
  runs(connection_, "xa end " + literal(xid));
  runs(connection_, "xa rollback " + literal(xid));
}

Result<> MysqlConnection::xa_commit(std::string_view xid) {
  return end_prepared("xa commit " + literal(xid), xid);
}

Result<> MysqlConnection::xa_roll_back(std::string_view xid) {
  return end_prepared("xa rollback " + literal(xid), xid);
}

/// MariaDB says "unknown" also of a transaction that the session which prepared it still holds. A
/// session that was closed ends a moment later.
Result<> MysqlConnection::end_prepared(const std::string& statement, std::string_view xid) {
  for (int attempt = 1;; ++attempt) {
    if (runs(connection_, statement)) return ok();
    if (mysql_errno(connection_) != ER_XAER_NOTA) return failed(connection_);
    CONCERTO_TRY(const bool is_held, is_prepared(xid));
    if (!is_held) return ok();
    if (attempt == held_attempts_max) {
      return make_error(BarrierErrc::database_failed,
                        "MySQL: '" + std::string(xid) +
                            "' is held by the session that prepared it, which must be closed");
    }
    std::this_thread::sleep_for(held_pause);
  }
}

Result<bool> MysqlConnection::is_prepared(std::string_view xid) {
  if (!runs(connection_, "xa recover")) {
    // MySQL 8 asks for the right XA_RECOVER_ADMIN. There no session holds what it has prepared.
    if (mariadb_connection(connection_) == 0 && !is_connection_broken(connection_)) return false;
    return failed(connection_);
  }
  const Rows rows(mysql_store_result(connection_), &mysql_free_result);
  if (rows == nullptr) return failed(connection_);
  constexpr unsigned data_column = 3;  // formatID, gtrid_length, bqual_length, data
  while (const MYSQL_ROW row = mysql_fetch_row(rows.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(rows.get());
    if (std::string_view(row[data_column], lengths[data_column]) == xid) return true;
  }
  if (mysql_errno(connection_) != 0) return failed(connection_);
  return false;
}

std::string mysql_barrier_table(const std::string& table) {
  return "create table if not exists " + table +
         "(id bigint(22) primary key auto_increment, trans_type varchar(45) default '',"
         " gid varchar(128) default '', branch_id varchar(128) default '',"
         " op varchar(45) default '', barrier_id varchar(45) default '',"
         " reason varchar(45) default '', create_time datetime default now(),"
         " update_time datetime default now(), key(create_time), key(update_time),"
         " unique key(gid, branch_id, op, barrier_id)) engine = InnoDB default charset = utf8mb4"
         " collate = utf8mb4_bin";
}

}  // namespace concerto
