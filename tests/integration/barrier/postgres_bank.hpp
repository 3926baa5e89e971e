#pragma once

#include <libpq-fe.h>
#include <memory>
#include <stdexcept>
#include <string>

#include <concerto/barrier/postgres.hpp>

#include "bank.hpp"

namespace concerto::test {

class PostgresBank final : public BankOn<PGconn> {
 public:
  static std::unique_ptr<Bank> open() { return std::make_unique<PostgresBank>(); }

  PostgresBank()
      : connection_(PQconnectdb(("host=127.0.0.1 user=postgres dbname=bank port=" +
                                 std::to_string(port_of("CONCERTO_TEST_POSTGRES")))
                                    .c_str()),
                    &PQfinish) {
    if (PQstatus(raw()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(raw()));
    sql("set client_min_messages = warning");
  }

  PGconn* raw() override { return connection_.get(); }
  std::unique_ptr<Bank> again() const override { return open(); }
  void sql(const std::string& statement) override { run(statement); }
  std::string value(const std::string& query) override {
    const auto result = run(query);
    if (PQntuples(result.get()) != 1) throw std::runtime_error(query + ": not one row");
    return PQgetvalue(result.get(), 0, 0);
  }
  std::string barrier_table() const override { return "dtm_barrier.barrier"; }
  std::string other_table() const override { return "other_barrier"; }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> run(const std::string& statement) {
    std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(raw(), statement.c_str()),
                                                         &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      throw std::runtime_error(statement + ": " + PQerrorMessage(raw()));
    }
    return result;
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace concerto::test
