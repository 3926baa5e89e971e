#include <array>
#include <libpq-fe.h>
#include <stdexcept>

#include <concerto/barrier/postgres.hpp>

#include "bank.hpp"

using concerto::Barrier;
using concerto::BarrierErrc;
using concerto::Result;

namespace {

using Rows = std::unique_ptr<PGresult, decltype(&PQclear)>;

class PostgresBank : public Bank {
 public:
  explicit PostgresBank(const std::string& where)
      : connection_(PQconnectdb(where.c_str()), &PQfinish) {
    require(PQstatus(connection_.get()) == CONNECTION_OK);
    sql("set client_min_messages = warning");
    sql("create table if not exists account(name text primary key, balance int not null)");
    sql(concerto::postgres_barrier_table());
  }

  void open(const std::string& account, int balance) override {
    const Rows made =
        run("insert into account values($1, $2::int)"
            " on conflict(name) do update set balance = excluded.balance",
            account, balance);
    require(PQresultStatus(made.get()) == PGRES_COMMAND_OK);
  }

  int balance(const std::string& account) override {
    const Rows rows = run("select balance + $2::int from account where name = $1", account, 0);
    require(PQntuples(rows.get()) == 1);
    return std::stoi(PQgetvalue(rows.get(), 0, 0));
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
    const Rows updated = run(
        "update account set balance = balance + $2::int where name = $1 and balance + $2::int >= 0",
        account, amount);
    if (PQresultStatus(updated.get()) != PGRES_COMMAND_OK) {
      return make_error(BarrierErrc::database_failed, PQerrorMessage(connection_.get()));
    }
    if (std::string(PQcmdTuples(updated.get())) != "1") {
      return concerto::branch_failure(account + " has no account, or not enough money");
    }
    return concerto::ok();
  }

  Rows run(const char* statement, const std::string& account, int number) {
    const std::string text = std::to_string(number);
    const std::array values{account.c_str(), text.c_str()};
    return {PQexecParams(connection_.get(), statement, values.size(), nullptr, values.data(),
                         nullptr, nullptr, 0),
            &PQclear};
  }
  void sql(const std::string& statements) {
    const Rows done(PQexec(connection_.get(), statements.c_str()), &PQclear);
    require(PQresultStatus(done.get()) == PGRES_COMMAND_OK);
  }
  void require(bool it_worked) const {
    if (!it_worked) throw std::runtime_error(PQerrorMessage(connection_.get()));
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace

std::unique_ptr<Bank> open_postgres_bank(const std::string& where) {
  return std::make_unique<PostgresBank>(where);
}
