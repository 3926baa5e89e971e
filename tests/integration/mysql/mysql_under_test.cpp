#include "mysql_under_test.hpp"

#include <stdexcept>
#include <string_view>

#include "mysql/mysql_schema.hpp"

namespace concerto::test {
namespace {

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

std::uint16_t mysql_port() {
  return server_port("CONCERTO_TEST_MYSQL");
}

}  // namespace

MysqlClient::MysqlClient() : connection_(mysql_init(nullptr)) {
  if (mysql_real_connect(connection_, "127.0.0.1", "root", "", nullptr, mysql_port(), nullptr, 0) ==
      nullptr) {
    const std::string error = mysql_error(connection_);
    mysql_close(connection_);
    throw std::runtime_error(error);
  }
}

MysqlClient::~MysqlClient() {
  mysql_close(connection_);
}

SqlTexts MysqlClient::sql(const std::string& text) {
  SqlTexts rows;
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

MysqlUnderTest::MysqlUnderTest(Layout layout) : SqlUnderTest("mysql", "root", mysql_port()) {
  settings().database.database = new_database();
  // Not the zone of this machine: whoever mixes the two up is hours wrong.
  settings().database.east_of_utc = std::chrono::hours(5);
  client_.emplace();
  sql("CREATE DATABASE " + settings().database.database + " DEFAULT CHARACTER SET utf8mb4");
  sql("USE " + settings().database.database);
  if (layout != Layout::own) make_tables(layout);
  restart();
}

MysqlUnderTest::~MysqlUnderTest() {
  close();
  sql("DROP DATABASE " + settings().database.database);
}

/// Makes the tables as this store does, except for what the layout has differently.
void MysqlUnderTest::make_tables(Layout layout) {
  for (const std::string_view table : persist::mysql_create_tables) {
    const bool compares_bytes = layout == Layout::wide;
    sql(std::string(table.substr(0, compares_bytes ? table.size() : table.find(" COLLATE"))));
  }
  sql("ALTER TABLE trans_branch_op MODIFY bin_data MEDIUMBLOB");
}

void MysqlUnderTest::reconnect() {
  client_.emplace();
  sql("USE " + settings().database.database);
}

/// Time passes for the rows: their times are moved back.
void MysqlUnderTest::pass_time(std::chrono::nanoseconds by) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  sql("UPDATE trans_global SET next_cron_time = next_cron_time - INTERVAL " + std::to_string(us) +
      " MICROSECOND");
}

bool MysqlUnderTest::lose_next_answer() {
  // All changes of transactions end so; what the store reads for itself does not.
  proxy().lose_next_answer_to({"COMMIT"}, is_whole_answer);
  return true;
}

}  // namespace concerto::test
