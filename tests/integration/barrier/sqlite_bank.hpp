#pragma once

#include <memory>
#include <sqlite3.h>
#include <stdexcept>
#include <string>

#include <concerto/barrier/sqlite.hpp>

#include "bank.hpp"
#include "temp_dir.hpp"

namespace concerto::test {

class SqliteBank final : public BankOn<sqlite3> {
 public:
  /// In a new database, for each test.
  static std::unique_ptr<Bank> open() { return std::make_unique<SqliteBank>(new_database()); }

  static std::shared_ptr<TempDir> new_database() {
    auto directory = std::make_shared<TempDir>();
    SqliteBank bank(directory);
    bank.sql("pragma journal_mode = wal");
    bank.sql("create table account(name varchar(64) primary key, balance int, trading int)");
    bank.sql(sqlite_barrier_table());
    bank.sql(sqlite_barrier_table("other_barrier"));
    return directory;
  }

  explicit SqliteBank(std::shared_ptr<TempDir> directory) : directory_(std::move(directory)) {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open((directory_->path() + "/bank.db").c_str(), &opened);
    connection_.reset(opened);
    if (result != SQLITE_OK) throw std::runtime_error("no database of SQLite");
    constexpr int wait_ms = 60'000;
    sqlite3_busy_timeout(opened, wait_ms);
    sql("pragma synchronous = off");
  }

  sqlite3* raw() override { return connection_.get(); }
  std::unique_ptr<Bank> again() const override { return std::make_unique<SqliteBank>(directory_); }
  void sql(const std::string& statement) override {
    if (sqlite3_exec(raw(), statement.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      throw std::runtime_error(statement + ": " + sqlite3_errmsg(raw()));
    }
  }
  std::string value(const std::string& query) override {
    std::string found;
    const auto take = [](void* to, int, char** columns, char**) {
      *static_cast<std::string*>(to) = columns[0];
      return 0;
    };
    if (sqlite3_exec(raw(), query.c_str(), take, &found, nullptr) != SQLITE_OK || found.empty()) {
      throw std::runtime_error(query + ": " + sqlite3_errmsg(raw()));
    }
    return found;
  }
  std::string barrier_table() const override { return "barrier"; }
  std::string other_table() const override { return "other_barrier"; }

 private:
  std::shared_ptr<TempDir> directory_;
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection_{nullptr, &sqlite3_close};
};

}  // namespace concerto::test
