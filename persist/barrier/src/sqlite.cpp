#include <memory>
#include <span>
#include <sqlite3.h>
#include <string_view>

#include <concerto/barrier/sqlite.hpp>

namespace concerto {
namespace {

constexpr std::string_view default_table = "barrier";

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Error failed(sqlite3* connection) {
  return make_error(BarrierErrc::database_failed,
                    std::string("SQLite: ") + sqlite3_errmsg(connection));
}

Error wrong(std::string why) {
  return make_error(BarrierErrc::wrong_state, "SQLite: " + std::move(why));
}

Result<> run(sqlite3* connection, const char* text) {
  if (sqlite3_exec(connection, text, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failed(connection);
  }
  return ok();
}

/// The values must outlive the statement.
Result<Statement> prepare(sqlite3* connection, const std::string& text,
                          std::span<const std::string_view> values) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(connection, text.c_str(), -1, &prepared, nullptr) != SQLITE_OK) {
    return failed(connection);
  }
  Statement statement(prepared, &sqlite3_finalize);
  int place = 0;
  for (const std::string_view value : values) {
    if (sqlite3_bind_text(prepared, ++place, value.data(), static_cast<int>(value.size()),
                          SQLITE_STATIC) != SQLITE_OK) {
      return failed(connection);
    }
  }
  return statement;
}

std::string table_of(const BarrierRow& row) {
  return std::string(row.table.empty() ? default_table : row.table);
}

}  // namespace

/// With the right to write from the beginning: a transaction that first reads could not wait for
/// another one's end.
Result<> SqliteConnection::begin() {
  if (sqlite3_get_autocommit(connection_) == 0) {
    return wrong("a transaction has begun already; enter() is for that");
  }
  return run(connection_, "begin immediate");
}

Result<> SqliteConnection::commit() {
  // SQLite rolls back by itself after some errors, a full disk for example.
  if (sqlite3_get_autocommit(connection_) != 0) {
    return wrong("the transaction was ended before its work was done");
  }
  Result<> done = run(connection_, "commit");
  if (!done) roll_back();
  return done;
}

void SqliteConnection::roll_back() noexcept {
  if (sqlite3_get_autocommit(connection_) != 0) return;
  sqlite3_exec(connection_, "rollback", nullptr, nullptr, nullptr);
}

Result<> SqliteConnection::require_transaction() {
  if (sqlite3_get_autocommit(connection_) != 0) {
    return wrong("the barrier is not within a transaction");
  }
  return ok();
}

Result<bool> SqliteConnection::insert(const BarrierRow& row) {
  const std::string_view values[] = {row.trans_type, row.gid,        row.branch_id,
                                     row.op,         row.barrier_id, row.reason};
  CONCERTO_TRY(const Statement statement,
               prepare(connection_,
                       "insert into " + table_of(row) +
                           "(trans_type, gid, branch_id, op, barrier_id, reason)"
                           " values(?,?,?,?,?,?)"
                           " on conflict(gid, branch_id, op, barrier_id) do nothing",
                       values));
  if (sqlite3_step(statement.get()) != SQLITE_DONE) return failed(connection_);
  return sqlite3_changes(connection_) == 1;
}

Result<std::string> SqliteConnection::reason_of(const BarrierRow& row) {
  const std::string_view values[] = {row.gid, row.branch_id, row.op, row.barrier_id};
  CONCERTO_TRY(const Statement statement,
               prepare(connection_,
                       "select reason from " + table_of(row) +
                           " where gid = ? and branch_id = ? and op = ? and barrier_id = ?",
                       values));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return failed(connection_);
  const auto* reason = sqlite3_column_text(statement.get(), 0);
  return std::string(reason == nullptr ? "" : reinterpret_cast<const char*>(reason));
}

std::string sqlite_barrier_table(const std::string& table) {
  return "create table if not exists " + table +
         "(id integer primary key, trans_type varchar(45) default '', gid varchar(128) default '',"
         " branch_id varchar(128) default '', op varchar(45) default '',"
         " barrier_id varchar(45) default '', reason varchar(45) default '',"
         " create_time datetime default current_timestamp,"
         " update_time datetime default current_timestamp,"
         " unique(gid, branch_id, op, barrier_id))";
}

}  // namespace concerto
