#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/task_group.hpp>

#include "sql_connection.hpp"

namespace concerto::persist {

/// Reads the rows of single transactions, many in one statement. While the statements that may run
/// at one time are under way, the next one gathers; no timer delays a lone read.
///
/// All calls are made on the executor's thread.
class RowReads {
 public:
  struct Limits {
    std::size_t statements_max = 2;  ///< at one time
    std::size_t rows_max = 256;      ///< of one statement
  };

  /// Reads rows, of which no two have the same gid. It ends by itself.
  using Read = std::function<Async<std::vector<StoredTrans>>(std::vector<ClaimRow>)>;

  RowReads(Executor executor, Read read, const Limits& limits)
      : read_(std::move(read)), limits_(limits), tasks_(std::move(executor)) {}

  /// Nullopt: there is no such row. Errors: those of `Read`, for all rows of the statement;
  /// store_unavailable after `stop`.
  Async<std::optional<StoredTrans>> read(std::string gid, Claim how = Claim::if_free);

  /// Answers the reads whose statement has not begun. The database does not answer.
  void answer_waiting(const Error& error);
  /// Accepts no more reads, and returns when all have their answer.
  Task<void> stop();

 private:
  using Answer = Result<std::optional<StoredTrans>>;
  struct Waiter {
    ClaimRow row;
    Completion<Answer> completion;
  };

  void add(Waiter waiter);
  Task<void> run();
  std::vector<Waiter> take();

  const Read read_;
  const Limits limits_;
  std::deque<Waiter> waiting_;
  std::size_t running_ = 0;
  TaskGroup tasks_;
};

}  // namespace concerto::persist
