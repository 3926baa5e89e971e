#include "accounts.hpp"

#include <sqlite3.h>
#include <stdexcept>

#include <concerto/barrier/sqlite.hpp>

using concerto::Barrier;
using concerto::BarrierErrc;
using concerto::Result;

namespace {

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Statement prepare(sqlite3* connection, const char* text, const std::string& name) {
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(connection, text, -1, &prepared, nullptr);
  sqlite3_bind_text(prepared, 1, name.c_str(), -1, SQLITE_TRANSIENT);
  return {prepared, &sqlite3_finalize};
}

}  // namespace

Accounts::Accounts(const std::string& file) : connection_(nullptr, &sqlite3_close) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open(file.c_str(), &opened);
  connection_.reset(opened);
  if (result != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(opened));
  constexpr int wait_ms = 10'000;  // For other connections' transactions.
  sqlite3_busy_timeout(opened, wait_ms);
  sql("create table if not exists account(name text primary key, balance int not null)");
  sql(concerto::sqlite_barrier_table());
}

void Accounts::open(const std::string& name, std::int64_t balance) {
  const Statement made = prepare(connection_.get(), "replace into account values(?1, ?2)", name);
  sqlite3_bind_int64(made.get(), 2, balance);
  sqlite3_step(made.get());
}

std::int64_t Accounts::balance(const std::string& name) {
  const Statement row =
      prepare(connection_.get(), "select balance from account where name = ?1", name);
  return sqlite3_step(row.get()) == SQLITE_ROW ? sqlite3_column_int64(row.get(), 0) : 0;
}

Result<> Accounts::add(Barrier& barrier, const std::string& name, std::int64_t amount) {
  return barrier.call(connection_.get(), [&] { return change(name, amount); });
}

/// In the transaction that the barrier has begun.
Result<> Accounts::change(const std::string& name, std::int64_t amount) {
  const Statement update = prepare(
      connection_.get(),
      "update account set balance = balance + ?2 where name = ?1 and balance + ?2 >= 0", name);
  sqlite3_bind_int64(update.get(), 2, amount);
  if (sqlite3_step(update.get()) != SQLITE_DONE) {
    return make_error(BarrierErrc::database_failed, sqlite3_errmsg(connection_.get()));
  }
  if (sqlite3_changes(connection_.get()) != 1) {
    return concerto::branch_failure(name + " has no account, or not enough money");
  }
  return concerto::ok();
}

void Accounts::sql(const std::string& statement) {
  if (sqlite3_exec(connection_.get(), statement.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(connection_.get()));
  }
}
