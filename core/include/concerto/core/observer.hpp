#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <concerto/core/branch_caller.hpp>
#include <concerto/core/transaction.hpp>

namespace concerto {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// Hears what happens in the core: logs, metrics and events leave through it. Called on the shard
/// where it happens, so an implementation shared by shards is thread-safe; it must not block.
class Observer {
 public:
  virtual ~Observer() = default;

  /// A line worth logging; `gid` may be empty.
  virtual void log(LogLevel level, std::string_view gid, std::string_view text) = 0;
  virtual bool logs(LogLevel level) const noexcept = 0;

  virtual void branch_called(const BranchCall& /*call*/, const BranchReply& /*reply*/,
                             std::chrono::nanoseconds /*took*/) {}
  /// A pass over a transaction has ended: it is finished, parked, or given back at shutdown.
  virtual void pass_ended(const Transaction& /*trans*/, bool /*without_error*/) {}
};

}  // namespace concerto
