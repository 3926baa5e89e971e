#pragma once

#include <memory>
#include <string>

#include <concerto/client/workflow.hpp>

struct sqlite3;

/// The traveller's money, in a database of SQLite. At first it is 100.
class Wallet {
 public:
  /// Throws if the database cannot be opened.
  explicit Wallet(const std::string& file);

  int money();
  /// Adds under the barrier of the step, so a step that is repeated changes nothing. Refuses to
  /// take more than there is.
  concerto::Result<> add(const concerto::client::WorkflowStep& step, int amount);

 private:
  concerto::Result<> change(int amount);
  void sql(const std::string& statement);

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
};
