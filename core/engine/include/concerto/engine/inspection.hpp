#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// A call to a branch service, as the journal keeps it.
struct Attempt {
  WallTime time{};  ///< when it began
  std::string branch_id;
  std::string op;
  std::uint32_t number = 1;  ///< counts the attempts at this branch and op that were kept
  std::string url;           ///< masked
  std::chrono::nanoseconds took{};
  Outcome outcome = Outcome::error;
  std::string answer;  ///< first bytes of the answer or error; empty when it says no more
  std::optional<WallTime> next_try;  ///< when the coordinator meant to try again
};

/// What a transaction does at the moment.
enum class Activity : std::uint8_t {
  prepared,  ///< its application has not submitted it
  running,   ///< its branches are called
  waiting,   ///< until its time, or until a target has room
  finished,
};

std::string_view to_string(Activity activity) noexcept;

/// A transaction and why it is where it is.
struct Inspection {
  Transaction trans;
  Activity activity = Activity::finished;
  std::string explanation;               ///< a sentence for an operator
  std::optional<WallTime> next_attempt;  ///< when it is looked at next, if that is known
  /// Where it is stuck or has failed: the first of the URLs that it calls next, or whose branches
  /// failed. Masked. Known after a restart too.
  std::vector<std::string> urls;
  /// The last attempts, oldest first. In memory only, and begun with the first call that did not
  /// succeed: empty for what went well, and after a restart.
  std::vector<Attempt> attempts;
};

}  // namespace concerto
