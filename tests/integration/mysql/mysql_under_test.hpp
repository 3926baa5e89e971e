#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <mariadb/mysql.h>

#include <concerto/persist/store_factory.hpp>

#include "lossy_proxy.hpp"
#include "store_contract_fixture.hpp"

namespace concerto::test {

/// The server that mysql_test.py started: CONCERTO_TEST_MYSQL is its port on loopback.
std::uint16_t mysql_port();

class SystemTime final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

class SilentLog final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

/// A connection for the test itself, which blocks.
class MysqlClient {
 public:
  MysqlClient();
  ~MysqlClient();
  MysqlClient(const MysqlClient&) = delete;
  MysqlClient& operator=(const MysqlClient&) = delete;

  /// Runs a statement and returns its rows, with texts. Null is `NULL`.
  std::vector<std::vector<std::string>> sql(const std::string& text);

 private:
  MYSQL* connection_;
};

/// A store in a database of its own, reached by a proxy; and the same data as another coordinator.
class MysqlUnderTest : public StoreUnderTest {
 public:
  enum class Layout : std::uint8_t {
    own,        ///< as this store creates it
    wide,       ///< the same with a column for larger payloads
    reference,  ///< as the reference creates it: texts are compared without regard to case
  };
  explicit MysqlUnderTest(Layout layout);
  ~MysqlUnderTest() override;

  Store& store() override { return *store_; }
  void restart() override;
  Transaction kept(Transaction trans) const override;
  Store* other_store() override;
  WallTime now() const override { return clock_.wall_now(); }
  void pass_time(std::chrono::nanoseconds by) override;
  bool lose_next_answer() override;

  LossyProxy& proxy() { return proxy_; }
  persist::StoreSettings& settings() noexcept { return settings_; }
  std::vector<std::vector<std::string>> sql(const std::string& text) { return client_.sql(text); }
  Result<std::unique_ptr<persist::ManagedStore>> try_open();

 private:
  std::unique_ptr<persist::ManagedStore> open();

  SystemTime clock_;
  SilentLog log_;
  LossyProxy proxy_{mysql_port()};
  MysqlClient client_;
  persist::StoreSettings settings_;
  std::unique_ptr<persist::ManagedStore> store_;
  std::unique_ptr<persist::ManagedStore> other_;
};

}  // namespace concerto::test
