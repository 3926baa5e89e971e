#include "postgres_under_test.hpp"

#include <stdexcept>

namespace concerto::test {
namespace {

std::string new_schema() {
  static int count = 0;
  return "test_" + std::to_string(++count);
}

std::uint16_t postgres_port() {
  return server_port("CONCERTO_TEST_POSTGRES");
}

}  // namespace

PostgresClient::PostgresClient() {
  const std::string where =
      "host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(postgres_port());
  connection_ = PQconnectdb(where.c_str());
  if (PQstatus(connection_) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection_));
  }
  sql("SET client_min_messages = warning");
}

PostgresClient::~PostgresClient() {
  PQfinish(connection_);
}

SqlTexts PostgresClient::sql(const std::string& text) {
  PGresult* const result = PQexec(connection_, text.c_str());
  const ExecStatusType status = PQresultStatus(result);
  SqlTexts rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      const bool is_null = PQgetisnull(result, row, column) != 0;
      rows.back().emplace_back(is_null ? "NULL" : PQgetvalue(result, row, column));
    }
  }
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(text + ": " + PQerrorMessage(connection_));
  }
  return rows;
}

PostgresUnderTest::PostgresUnderTest() : SqlUnderTest("postgres", "postgres", postgres_port()) {
  settings().database.database = "postgres";
  settings().database.schema = new_schema();
  const std::string& schema = settings().database.schema;
  sql("DROP SCHEMA IF EXISTS " + schema + " CASCADE; CREATE SCHEMA " + schema +
      "; SET search_path = " + schema);
  restart();
}

PostgresUnderTest::~PostgresUnderTest() {
  close();
  sql("DROP SCHEMA " + settings().database.schema + " CASCADE");
}

/// Time passes for the rows: their times are moved back.
void PostgresUnderTest::pass_time(std::chrono::nanoseconds by) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  sql("UPDATE trans_global SET next_cron_time = next_cron_time - " + std::to_string(ms) +
      " * interval '1 millisecond'");
}

bool PostgresUnderTest::lose_next_answer() {
  proxy().lose_next_answer_to(
      {"concerto_create", "concerto_update", "concerto_claim", "concerto_renew"});
  return true;
}

}  // namespace concerto::test
