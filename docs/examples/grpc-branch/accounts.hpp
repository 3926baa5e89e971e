#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <concerto/barrier/barrier.hpp>

struct sqlite3;

/// Accounts in a database of SQLite, on a connection of their own. One thread uses them.
class Accounts {
 public:
  /// Makes the tables that are missing. Throws if the database cannot be opened.
  explicit Accounts(const std::string& file);

  void open(const std::string& name, std::int64_t balance);
  std::int64_t balance(const std::string& name);
  /// Adds to an account, under the barrier of the request. Refuses if there is no such account, or
  /// not enough money in it.
  concerto::Result<> add(concerto::Barrier& barrier, const std::string& name, std::int64_t amount);

 private:
  concerto::Result<> change(const std::string& name, std::int64_t amount);
  void sql(const std::string& statement);

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
};
