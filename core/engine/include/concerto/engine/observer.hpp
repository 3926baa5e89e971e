#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// A branch whose errors do not end.
struct BranchTrouble {
  const Transaction& trans;
  std::string_view url;  ///< masked
  std::string_view error;
  std::int64_t retry_count = 0;  ///< how often the interval was doubled
};

/// Hears what happens in the core: logs, metrics and events leave through it. One for each shard,
/// called on that shard; one that several shards share must be thread-safe. It must not block.
class Observer {
 public:
  virtual ~Observer() = default;

  /// A line worth logging; `gid` may be empty.
  virtual void log(LogLevel level, std::string_view gid, std::string_view text) = 0;
  virtual bool logs(LogLevel level) const noexcept = 0;

  virtual void branch_called(const BranchCall& /*call*/, const BranchReply& /*reply*/,
                             std::chrono::nanoseconds /*took*/) {}
  /// A pass over a transaction has ended: it is finished, waits, or is given back at shutdown.
  /// `without_error`: no branch and no store stood in its way; going back is no error.
  virtual void pass_ended(const Transaction& /*trans*/, bool /*without_error*/) {}
  /// A transaction has reached its last status, and that is durable.
  virtual void transaction_ended(const Transaction& /*trans*/) {}
  /// A pass ended in an error of a branch, after its interval was set (protocol page 05,
  /// section 2.3).
  virtual void branch_in_trouble(const BranchTrouble& /*trouble*/) {}
};

}  // namespace concerto
