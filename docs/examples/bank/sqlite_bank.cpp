#include <sqlite3.h>
#include <stdexcept>

#include <concerto/barrier/sqlite.hpp>

#include "bank.hpp"

using concerto::Barrier;
using concerto::BarrierErrc;
using concerto::Result;

namespace {

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

class SqliteBank : public Bank {
 public:
  explicit SqliteBank(const std::string& file) : connection_(nullptr, &sqlite3_close) {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open(file.c_str(), &opened);
    connection_.reset(opened);
    require(result == SQLITE_OK);
    constexpr int wait_ms = 10'000;  // For other connections' transactions.
    sqlite3_busy_timeout(opened, wait_ms);
    sql("create table if not exists account(name text primary key, balance int not null)");
    sql(concerto::sqlite_barrier_table());
  }

  void open(const std::string& account, int balance) override {
    const Statement made = prepare("replace into account values(?1, ?2)", account, balance);
    require(sqlite3_step(made.get()) == SQLITE_DONE);
  }

  int balance(const std::string& account) override {
    const Statement row = prepare("select balance from account where name = ?1", account, 0);
    require(sqlite3_step(row.get()) == SQLITE_ROW);
    return sqlite3_column_int(row.get(), 0);
  }

  Result<> add(Barrier& barrier, const std::string& account, int amount) override {
    return barrier.call(connection_.get(), [&] { return change(account, amount); });
  }

  Result<> query_prepared(Barrier& barrier) override {
    return barrier.query_prepared(connection_.get());
  }

 private:
  /// In the transaction that the barrier has begun.
  Result<> change(const std::string& account, int amount) {
    const Statement update =
        prepare("update account set balance = balance + ?2 where name = ?1 and balance + ?2 >= 0",
                account, amount);
    if (sqlite3_step(update.get()) != SQLITE_DONE) {
      return make_error(BarrierErrc::database_failed, sqlite3_errmsg(connection_.get()));
    }
    if (sqlite3_changes(connection_.get()) != 1) {
      return concerto::branch_failure(account + " has no account, or not enough money");
    }
    return concerto::ok();
  }

  Statement prepare(const char* text, const std::string& account, int number) {
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v2(connection_.get(), text, -1, &prepared, nullptr);
    Statement statement(prepared, &sqlite3_finalize);
    sqlite3_bind_text(prepared, 1, account.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_bind_parameter_count(prepared) > 1) sqlite3_bind_int(prepared, 2, number);
    return statement;
  }
  void sql(const std::string& statement) {
    require(sqlite3_exec(connection_.get(), statement.c_str(), nullptr, nullptr, nullptr) ==
            SQLITE_OK);
  }
  void require(bool it_worked) const {
    if (!it_worked) throw std::runtime_error(sqlite3_errmsg(connection_.get()));
  }

  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection_;
};

}  // namespace

std::unique_ptr<Bank> open_sqlite_bank(const std::string& file) {
  return std::make_unique<SqliteBank>(file);
}
