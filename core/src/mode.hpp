#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>

#include <concerto/core/branch_caller.hpp>
#include <concerto/core/request.hpp>
#include <concerto/core/transaction.hpp>

#include "custom_data.hpp"

namespace concerto {

/// What happened to a call in the current pass.
enum class RunState : std::uint8_t {
  idle,     ///< not called in this pass
  running,  ///< the call has not ended
  pausing,  ///< called, and called again after a short pause
  tried,    ///< called without a conclusive result; not again in this pass
};

/// Everything a mode decides from.
struct TransView {
  const Transaction& trans;
  const CustomData& custom;
  std::span<const RunState> runs;        ///< one per branch
  RunState query = RunState::idle;       ///< the query-prepared call
  std::optional<Outcome> query_outcome;  ///< its result in this pass
  bool timed_out = false;                ///< the transaction's time to fail has come
  bool delay_over = false;               ///< a delay of the mode has been waited for
  bool retries_exhausted = false;        ///< an Effect::give_up was seen
  std::chrono::seconds timeout{};        ///< in force; 0 = none
  std::string_view failure_text;         ///< of the action that failed in this process
};

struct StatusChange {
  TransStatus to = TransStatus::failed;
  std::string rollback_reason;  ///< empty: stays as it is
};

/// What a mode wants next. Nothing wanted and nothing running ends the pass.
struct Next {
  /// Made durable first; the mode is asked again after it.
  std::optional<StatusChange> change;
  /// Branches to call now, beside those that run.
  boost::container::small_vector<std::uint32_t, 4> calls;
  /// The successes these calls build on must be durable before they start.
  bool needs_durable_successes = false;
  /// Ask the initiator how its local work ended (query_prepared).
  bool ask_initiator = false;
  /// Nothing is to be done before this time has passed.
  std::optional<std::chrono::seconds> delay;
};

/// What the result of a branch call means.
enum class Effect : std::uint8_t {
  succeed,      ///< the branch is done
  fail,         ///< the branch has failed for good
  retry_later,  ///< call again in a later pass
  retry_soon,   ///< call again in this pass, after a short pause; counts as a retry
  give_up,      ///< the retries are used up
};

/// A transaction mode: from a transaction's state, and from the result of a call, to what is next.
/// Pure functions; what all modes share is the engine's. A new mode is one file and one line in
/// mode.cpp.
struct Mode {
  TransType type;
  /// Fills in the branches of a new transaction from the request's steps.
  Result<> (*expand)(const TransRequest& request, Transaction& trans);
  Next (*next)(const TransView& view);
  Effect (*effect)(const Transaction& trans, const Branch& branch, Outcome outcome);
  /// The status in which the transaction times out.
  TransStatus times_out_in;
  /// Whether the coordinator's timeout applies when the transaction names none.
  bool has_default_timeout;
  /// Whether who waits for the result hears a branch's error, or only that it is not finished.
  bool reports_branch_errors;
  /// Whether a prepared transaction may be aborted, and what it becomes.
  std::optional<TransStatus> aborts_to;
};

/// nullptr for a type that is not in this version.
const Mode* find_mode(TransType type) noexcept;

/// `%02d` of a 1-based step number (page 01, section 7).
std::string step_branch_id(std::size_t step_number);

namespace modes {
extern const Mode saga;
extern const Mode msg;
}  // namespace modes

}  // namespace concerto
