#include "postgres_under_test.hpp"

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace concerto::test {
namespace {

WallTime whole_second(WallTime time) {
  return std::chrono::round<std::chrono::seconds>(time);
}

void round(std::optional<WallTime>& time) {
  if (time) time = whole_second(*time);
}

std::string new_schema() {
  static int count = 0;
  return "test_" + std::to_string(++count);
}

}  // namespace

std::uint16_t postgres_port() {
  const char* port = std::getenv("CONCERTO_TEST_POSTGRES");
  if (port == nullptr) throw std::runtime_error("run this by postgres_test.py");
  return static_cast<std::uint16_t>(std::atoi(port));
}

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

std::vector<std::vector<std::string>> PostgresClient::sql(const std::string& text) {
  PGresult* const result = PQexec(connection_, text.c_str());
  const ExecStatusType status = PQresultStatus(result);
  std::vector<std::vector<std::string>> rows;
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

PostgresUnderTest::PostgresUnderTest() {
  settings_.driver = "postgres";
  settings_.database.host = "127.0.0.1";
  settings_.database.port = proxy_.port();
  settings_.database.user = "postgres";
  settings_.database.database = "postgres";
  settings_.database.schema = new_schema();
  const std::string& schema = settings_.database.schema;
  sql("DROP SCHEMA IF EXISTS " + schema + " CASCADE; CREATE SCHEMA " + schema +
      "; SET search_path = " + schema);
  store_ = open(settings_);
}

PostgresUnderTest::~PostgresUnderTest() {
  store_.reset();
  other_.reset();
  sql("DROP SCHEMA " + settings_.database.schema + " CASCADE");
}

std::unique_ptr<persist::ManagedStore> PostgresUnderTest::open(
    const persist::StoreSettings& settings) {
  auto opened = persist::StoreKinds::standard().open(settings, clock_, log_);
  if (!opened) throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

void PostgresUnderTest::restart() {
  store_.reset();
  store_ = open(settings_);
}

Transaction PostgresUnderTest::kept(Transaction trans) const {
  trans.submit_time.reset();
  trans.waits = false;
  // The end of the lease is in its place while somebody works on the transaction.
  trans.next_cron_time = {};
  trans.create_time = whole_second(trans.create_time);
  trans.update_time = whole_second(trans.update_time);
  round(trans.finish_time);
  round(trans.rollback_time);
  for (Branch& branch : trans.branches) {
    round(branch.create_time);
    round(branch.update_time);
    round(branch.finish_time);
  }
  return trans;
}

Store* PostgresUnderTest::other_store() {
  if (other_ == nullptr) other_ = open(settings_);
  return other_.get();
}

/// Time passes for the rows: their times are moved back.
void PostgresUnderTest::pass_time(std::chrono::nanoseconds by) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  sql("UPDATE trans_global SET next_cron_time = next_cron_time - " + std::to_string(ms) +
      " * interval '1 millisecond'");
}

bool PostgresUnderTest::lose_next_answer() {
  proxy_.lose_next_answer_to(
      {"concerto_create", "concerto_update", "concerto_claim", "concerto_renew"});
  return true;
}

}  // namespace concerto::test
