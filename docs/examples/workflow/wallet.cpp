#include "wallet.hpp"

#include <sqlite3.h>
#include <stdexcept>

#include <concerto/barrier/sqlite.hpp>

using concerto::Barrier;
using concerto::BarrierErrc;
using concerto::Result;

Wallet::Wallet(const std::string& file) : connection_(nullptr, &sqlite3_close) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open(file.c_str(), &opened);
  connection_.reset(opened);
  if (result != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(opened));
  sql("create table if not exists wallet(id integer primary key, money int not null)");
  sql("insert or ignore into wallet values(1, 100)");
  sql(concerto::sqlite_barrier_table());
}

int Wallet::money() {
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(connection_.get(), "select money from wallet", -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> row(prepared, &sqlite3_finalize);
  return sqlite3_step(prepared) == SQLITE_ROW ? sqlite3_column_int(prepared, 0) : 0;
}

Result<> Wallet::add(const concerto::client::WorkflowStep& step, int amount) {
  auto barrier = Barrier::from(step);
  if (!barrier) return barrier.error();
  return barrier->call(connection_.get(), [&] { return change(amount); });
}

/// In the transaction that the barrier has begun.
Result<> Wallet::change(int amount) {
  const std::string number = std::to_string(amount);
  const std::string update =
      "update wallet set money = money + (" + number + ") where money + (" + number + ") >= 0";
  if (sqlite3_exec(connection_.get(), update.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return make_error(BarrierErrc::database_failed, sqlite3_errmsg(connection_.get()));
  }
  if (sqlite3_changes(connection_.get()) != 1) return concerto::branch_failure("not enough money");
  return concerto::ok();
}

void Wallet::sql(const std::string& statement) {
  if (sqlite3_exec(connection_.get(), statement.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(connection_.get()));
  }
}
