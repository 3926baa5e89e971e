#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/persist/store_factory.hpp>

#include "lossy_proxy.hpp"
#include "store_contract_fixture.hpp"

namespace concerto::test {

/// The port of a server on loopback, from the environment variable that the script sets which
/// starts the server.
std::uint16_t server_port(const char* variable);

/// What a statement returns, as texts. Null is `NULL`.
using SqlTexts = std::vector<std::vector<std::string>>;

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

/// A store on a real SQL server, reached by a proxy; and the same data as another coordinator.
class SqlUnderTest : public StoreUnderTest {
 public:
  Store& store() override { return *store_; }
  void restart() override;
  Transaction kept(Transaction trans) const override;
  Store* other_store() override;
  WallTime now() const override { return clock_.wall_now(); }

  LossyProxy& proxy() { return proxy_; }
  persist::ManagedStore& managed() { return *store_; }
  /// Changes count from the next restart on.
  persist::StoreSettings& settings() noexcept { return settings_; }
  Result<std::unique_ptr<persist::ManagedStore>> try_open(const persist::StoreSettings& settings);
  std::unique_ptr<persist::ManagedStore> open(const persist::StoreSettings& settings);

 protected:
  SqlUnderTest(const char* driver, const char* user, std::uint16_t port);
  /// Ends the stores, so that their data can be removed.
  void close();

 private:
  SystemTime clock_;
  SilentLog log_;
  LossyProxy proxy_;
  persist::StoreSettings settings_;
  std::unique_ptr<persist::ManagedStore> store_;
  std::unique_ptr<persist::ManagedStore> other_;
};

}  // namespace concerto::test
