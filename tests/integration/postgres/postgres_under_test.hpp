#pragma once

#include <chrono>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <vector>

#include <concerto/persist/store_factory.hpp>

#include "lossy_proxy.hpp"
#include "store_contract_fixture.hpp"

namespace concerto::test {

/// The server that postgres_test.py started: CONCERTO_TEST_POSTGRES is its port on loopback.
std::uint16_t postgres_port();

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
class PostgresClient {
 public:
  PostgresClient();
  ~PostgresClient();
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  /// Runs statements and returns the rows of the last one, with texts. Null is `NULL`.
  std::vector<std::vector<std::string>> sql(const std::string& text);

 private:
  PGconn* connection_;
};

/// A store in a schema of its own, reached by a proxy; and the same data as another coordinator.
class PostgresUnderTest : public StoreUnderTest {
 public:
  PostgresUnderTest();
  ~PostgresUnderTest() override;

  Store& store() override { return *store_; }
  void restart() override;
  Transaction kept(Transaction trans) const override;
  Store* other_store() override;
  WallTime now() const override { return clock_.wall_now(); }
  void pass_time(std::chrono::nanoseconds by) override;
  bool lose_next_answer() override;

  persist::ManagedStore& managed() { return *store_; }
  LossyProxy& proxy() { return proxy_; }
  const persist::StoreSettings& settings() const noexcept { return settings_; }
  std::vector<std::vector<std::string>> sql(const std::string& text) { return client_.sql(text); }
  std::unique_ptr<persist::ManagedStore> open(const persist::StoreSettings& settings);

 private:
  SystemTime clock_;
  SilentLog log_;
  LossyProxy proxy_{postgres_port()};
  PostgresClient client_;
  persist::StoreSettings settings_;
  std::unique_ptr<persist::ManagedStore> store_;
  std::unique_ptr<persist::ManagedStore> other_;
};

}  // namespace concerto::test
