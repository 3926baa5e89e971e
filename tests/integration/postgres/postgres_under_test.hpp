#pragma once

#include <chrono>
#include <libpq-fe.h>
#include <string>

#include "sql_under_test.hpp"

namespace concerto::test {

/// A connection for the test itself, which blocks.
class PostgresClient {
 public:
  PostgresClient();
  ~PostgresClient();
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  /// Runs statements and returns the rows of the last one.
  SqlTexts sql(const std::string& text);

 private:
  PGconn* connection_;
};

/// A store in a schema of its own.
class PostgresUnderTest : public SqlUnderTest {
 public:
  PostgresUnderTest();
  ~PostgresUnderTest() override;

  void pass_time(std::chrono::nanoseconds by) override;
  bool lose_next_answer() override;

  SqlTexts sql(const std::string& text) { return client_.sql(text); }

 private:
  PostgresClient client_;
};

}  // namespace concerto::test
