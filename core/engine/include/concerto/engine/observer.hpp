#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/span.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// A branch whose calls keep ending in errors.
struct BranchTrouble {
  const Transaction& trans;
  std::string_view url;  ///< masked
  std::string_view error;
  std::int64_t retry_count = 0;  ///< how often the interval has been doubled
};

/// An observer is told what happens in the engine, for logs, metrics and events. Each shard has one
/// and calls it on its own thread; an observer that several shards share must be thread-safe. It
/// must not block. Its exceptions are counted (InFlight) and logged, and change nothing else.
class CONCERTO_EXPORT Observer {
 public:
  virtual ~Observer() = default;

  /// A line for the log; `gid` may be empty.
  virtual void log(LogLevel level, std::string_view gid, std::string_view text) = 0;
  /// The same about a transaction that is part of a trace.
  virtual void log_in_trace(LogLevel level, std::string_view gid, const TraceId& /*trace*/,
                            std::string_view text) {
    log(level, gid, text);
  }
  /// Whether lines of this level are wanted.
  virtual bool logs(LogLevel level) const noexcept = 0;

  virtual void branch_called(const BranchCall& /*call*/, const BranchReply& /*reply*/,
                             std::chrono::nanoseconds /*took*/) {}
  /// A pass has ended: the transaction is finished, waits, or goes on after a restart.
  /// `without_error` is false if the store did not make a change, or if a call has to be repeated
  /// after an error or failure. Ongoing calls and rolling back are no errors.
  virtual void pass_ended(const Transaction& /*trans*/, bool /*without_error*/) {}
  /// A transaction has a final status, and it is durable.
  virtual void transaction_ended(const Transaction& /*trans*/) {}
  /// A pass has ended in an error of a branch, and the next interval is set (protocol page 05,
  /// section 2.3).
  virtual void branch_in_trouble(const BranchTrouble& /*trouble*/) {}
  /// Another coordinator works on a transaction that this one was working on.
  virtual void lease_lost(const Gid& /*gid*/) {}
  /// A call has ended after the end of the lease under which it began. Another coordinator may have
  /// made the same call meanwhile.
  virtual void call_past_lease(const BranchCall& /*call*/) {}
  /// A part of a trace has ended (TraceOptions::records).
  virtual void span_ended(const Span& /*span*/) {}
};

}  // namespace concerto
