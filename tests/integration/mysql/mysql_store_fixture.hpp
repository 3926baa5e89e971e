#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "mysql/mysql_connector.hpp"
#include "mysql/mysql_kind.hpp"
#include "mysql_under_test.hpp"
#include "sql/sql_settings.hpp"

namespace concerto::test {

class MysqlStore : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code commit(Change change) {
    const Result<> done = wait(under_test_.store().commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  /// Commits the changes at the same time, so that they share a group. Returns their errors.
  std::vector<error_code> commit_all(std::vector<Change> changes) {
    std::vector<error_code> codes(changes.size());
    std::size_t left = changes.size();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      asio::co_spawn(io_, commit_later(under_test_.store(), std::move(changes[i])),
                     [&codes, &left, i](const std::exception_ptr&, const Result<>& done) {
                       if (!done) codes[i] = done.error().code;
                       --left;
                     });
    }
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    while (left > 0) io_.run_one();
    return codes;
  }
  /// Tries for a while. Commits that were started go on meanwhile.
  template <class Condition>
  bool comes_true(Condition condition) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      io_.restart();
      io_.poll();
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool gets(StoreHealth::State state) {
    return comes_true([this, state] { return under_test_.store().health().state == state; });
  }
  /// The same data as another coordinator opens it, with changed options.
  template <class Edit>
  std::unique_ptr<persist::ManagedStore> open_with(Edit edit) {
    const auto make = [edit](const persist::StoreSettings& settings,
                             const persist::SqlStoreOptions& options, Executor executor) {
      persist::MysqlOptions mysql = persist::mysql_options_of(settings.database, options);
      edit(mysql);
      return std::make_unique<persist::MysqlConnector>(std::move(executor), std::move(mysql));
    };
    return persist::sql_kind("mysql", make).open(under_test_.settings(), clock_, log_).value();
  }
  std::string one(const std::string& statement) { return under_test_.sql(statement).at(0).at(0); }

  SystemTime clock_;
  SilentLog log_;
  asio::io_context io_{1};
  MysqlUnderTest under_test_{MysqlUnderTest::Layout::own};
};

}  // namespace concerto::test
