#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <mariadb/mysql.h>

#include "sql_under_test.hpp"

namespace concerto::test {

/// A connection for the test itself, which blocks.
class MysqlClient {
 public:
  MysqlClient();
  ~MysqlClient();
  MysqlClient(const MysqlClient&) = delete;
  MysqlClient& operator=(const MysqlClient&) = delete;

  SqlTexts sql(const std::string& text);

 private:
  MYSQL* connection_;
};

/// A store in a database of its own.
class MysqlUnderTest : public SqlUnderTest {
 public:
  enum class Layout : std::uint8_t {
    own,        ///< as this store creates it
    wide,       ///< the same with a column for larger payloads
    reference,  ///< as the reference creates it: texts are compared without regard to case
  };
  explicit MysqlUnderTest(Layout layout);
  ~MysqlUnderTest() override;

  void pass_time(std::chrono::nanoseconds by) override;
  bool lose_next_answer() override;

  SqlTexts sql(const std::string& text) { return client_->sql(text); }
  /// The connection of `sql` anew, after the server has started again.
  void reconnect();

 private:
  void make_tables(Layout layout);

  std::optional<MysqlClient> client_;
};

}  // namespace concerto::test
