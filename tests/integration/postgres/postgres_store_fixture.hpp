#pragma once

#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "postgres_under_test.hpp"

namespace concerto::test {

/// What goes wrong between the store and its database, and rows that others wrote.
class PostgresStore : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code commit(Change change) {
    const Result<> done = wait(store().commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  std::optional<Transaction> load(const std::string& gid) {
    return wait(store().load(Gid{gid})).value();
  }
  Store& store() { return postgres_.store(); }
  Ownership& ownership() { return *store().ownership(); }
  std::string cell(const std::string& query) { return postgres_.sql(query).at(0).at(0); }

  /// Tries for a while.
  template <class Condition>
  static bool comes_true(Condition condition) {
    for (int attempt = 0; attempt < 500; ++attempt) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  bool gets(StoreHealth::State state) {
    return comes_true([this, state] { return store().health().state == state; });
  }

  asio::io_context io_{1};
  PostgresUnderTest postgres_;
};

}  // namespace concerto::test
