#include "sql_under_test.hpp"

#include <cstdlib>
#include <optional>
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

}  // namespace

std::uint16_t server_port(const char* variable) {
  const char* port = std::getenv(variable);
  if (port == nullptr) {
    throw std::runtime_error(std::string(variable) +
                             " is not set: run this by the script that starts the server");
  }
  return static_cast<std::uint16_t>(std::atoi(port));
}

SqlUnderTest::SqlUnderTest(const char* driver, const char* user, std::uint16_t port)
    : proxy_(port) {
  settings_.driver = driver;
  settings_.database.host = "127.0.0.1";
  settings_.database.port = proxy_.port();
  settings_.database.user = user;
}

Result<std::unique_ptr<persist::ManagedStore>> SqlUnderTest::try_open(
    const persist::StoreSettings& settings) {
  return persist::StoreKinds::standard().open(settings, clock_, log_);
}

std::unique_ptr<persist::ManagedStore> SqlUnderTest::open(const persist::StoreSettings& settings) {
  auto opened = try_open(settings);
  if (!opened) throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

void SqlUnderTest::restart() {
  store_.reset();
  store_ = open(settings_);
}

void SqlUnderTest::close() {
  store_.reset();
  other_.reset();
}

Transaction SqlUnderTest::kept(Transaction trans) const {
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

Store* SqlUnderTest::other_store() {
  if (other_ == nullptr) other_ = open(settings_);
  return other_.get();
}

}  // namespace concerto::test
