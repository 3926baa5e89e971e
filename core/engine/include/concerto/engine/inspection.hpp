#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// A call to a service, as the journal keeps it; or a row that an operator has skipped, of which
/// `answer` says so.
struct Attempt {
  WallTime time{};  ///< when it began
  std::string branch_id;
  std::string op;
  std::uint32_t number = 1;  ///< of the attempts at this row that were kept, which one it is
  std::string url;           ///< masked
  std::chrono::nanoseconds took{};
  Outcome outcome = Outcome::error;
  std::string answer;  ///< the first bytes of the answer or error; empty if `outcome` says it all
  std::optional<WallTime> next_try;  ///< when the coordinator planned the next call
};

/// What a transaction does at the moment.
enum class Activity : std::uint8_t {
  prepared,  ///< the application has not submitted it
  running,   ///< a pass works on it
  waiting,   ///< for its time, or for a slot of a target
  finished,
};

CONCERTO_EXPORT std::string_view to_string(Activity activity) noexcept;

/// A transaction, and the reasons for its state.
struct Inspection {
  Transaction trans;
  Activity activity = Activity::finished;
  std::string explanation;               ///< a sentence for an operator
  std::optional<WallTime> next_attempt;  ///< when the next pass begins, if that is known
  /// Where the transaction is stuck or has failed: the first few URLs of the calls that come next,
  /// or of the branches that have failed. Masked. Known also after a restart.
  std::vector<std::string> urls;
  /// The last attempts, oldest first. The journal keeps them in memory, from the first call that
  /// did not succeed. So there are none if all calls succeeded, and after a restart.
  std::vector<Attempt> attempts;
};

}  // namespace concerto
