#include "mysql_under_test.hpp"

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

/// Whether the packets end with an error, or with an OK after which no further result comes.
bool is_whole_answer(std::string_view bytes) {
  std::string_view packet;
  while (!bytes.empty()) {
    constexpr std::size_t header = 4;
    if (bytes.size() < header) return false;
    const auto byte = [&bytes](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
    };
    const std::size_t size = byte(0) | byte(1) << 8 | byte(2) << 16;
    if (bytes.size() < header + size) return false;
    packet = bytes.substr(header, size);
    bytes.remove_prefix(header + size);
  }
  constexpr std::size_t status_at = 3;
  constexpr char more_results = 8;
  if (packet.starts_with('\xff')) return true;
  return packet.size() > status_at && packet[0] == 0 && (packet[status_at] & more_results) == 0;
}

std::string new_database() {
  static int count = 0;
  return "test_" + std::to_string(++count);
}

}  // namespace

std::uint16_t mysql_port() {
  const char* port = std::getenv("CONCERTO_TEST_MYSQL");
  if (port == nullptr) throw std::runtime_error("run this by mysql_test.py");
  return static_cast<std::uint16_t>(std::atoi(port));
}

MysqlClient::MysqlClient() : connection_(mysql_init(nullptr)) {
  if (mysql_real_connect(connection_, "127.0.0.1", "root", "", nullptr, mysql_port(), nullptr, 0) ==
      nullptr) {
    throw std::runtime_error(mysql_error(connection_));
  }
}

MysqlClient::~MysqlClient() {
  mysql_close(connection_);
}

std::vector<std::vector<std::string>> MysqlClient::sql(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  if (mysql_real_query(connection_, text.data(), text.size()) != 0) {
    throw std::runtime_error(text + ": " + mysql_error(connection_));
  }
  MYSQL_RES* const result = mysql_store_result(connection_);
  if (result == nullptr) return rows;
  while (MYSQL_ROW row = mysql_fetch_row(result)) {
    rows.emplace_back();
    for (unsigned column = 0; column < mysql_num_fields(result); ++column) {
      rows.back().emplace_back(row[column] == nullptr ? "NULL" : row[column]);
    }
  }
  mysql_free_result(result);
  return rows;
}

MysqlUnderTest::MysqlUnderTest(Layout layout) {
  settings_.driver = "mysql";
  settings_.database.host = "127.0.0.1";
  settings_.database.port = proxy_.port();
  settings_.database.user = "root";
  settings_.database.database = new_database();
  // Not the zone of this machine: whoever mixes the two up is hours wrong.
  settings_.database.east_of_utc = std::chrono::hours(5);
  sql("CREATE DATABASE " + settings_.database.database + " DEFAULT CHARACTER SET utf8mb4");
  sql("USE " + settings_.database.database);
  store_ = open();
  if (layout == Layout::own) return;
  sql("ALTER TABLE trans_branch_op MODIFY bin_data MEDIUMBLOB");
  if (layout == Layout::reference) {
    for (const char* table : {"trans_global", "trans_branch_op", "kv"}) {
      sql(std::string("ALTER TABLE ") + table + " CONVERT TO CHARACTER SET utf8mb4");
    }
  }
  restart();
}

MysqlUnderTest::~MysqlUnderTest() {
  store_.reset();
  other_.reset();
  sql("DROP DATABASE " + settings_.database.database);
}

Result<std::unique_ptr<persist::ManagedStore>> MysqlUnderTest::try_open() {
  return persist::StoreKinds::standard().open(settings_, clock_, log_);
}

std::unique_ptr<persist::ManagedStore> MysqlUnderTest::open() {
  auto opened = try_open();
  if (!opened) throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

void MysqlUnderTest::restart() {
  store_.reset();
  store_ = open();
}

Transaction MysqlUnderTest::kept(Transaction trans) const {
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

Store* MysqlUnderTest::other_store() {
  if (other_ == nullptr) other_ = open();
  return other_.get();
}

/// Time passes for the rows: their times are moved back.
void MysqlUnderTest::pass_time(std::chrono::nanoseconds by) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  sql("UPDATE trans_global SET next_cron_time = next_cron_time - INTERVAL " + std::to_string(us) +
      " MICROSECOND");
}

bool MysqlUnderTest::lose_next_answer() {
  // All changes of transactions end so; what the store reads for itself does not.
  proxy_.lose_next_answer_to({"COMMIT"}, is_whole_answer);
  return true;
}

}  // namespace concerto::test
