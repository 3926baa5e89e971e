#pragma once

#include <memory>
#include <string>

#include <concerto/barrier/barrier.hpp>

/// The accounts of one bank, on a connection to its database. One thread uses it.
class Bank {
 public:
  virtual ~Bank() = default;
  /// Makes an account, or gives it this balance.
  virtual void open(const std::string& account, int balance) = 0;
  virtual int balance(const std::string& account) = 0;

  /// Adds to an account, under the barrier of the request. Refuses if there is no such account, or
  /// not enough money in it.
  virtual concerto::Result<> add(concerto::Barrier& barrier, const std::string& account,
                                 int amount) = 0;
  /// Whether the local work of a message was committed.
  virtual concerto::Result<> query_prepared(concerto::Barrier& barrier) = 0;
};

// Both make the tables that are missing. They throw if the database cannot be opened.
std::unique_ptr<Bank> open_postgres_bank(const std::string& where);
std::unique_ptr<Bank> open_sqlite_bank(const std::string& file);
