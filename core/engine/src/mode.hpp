#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/container/small_vector.hpp>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>

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
  std::string result = {};      ///< empty: stays as it is
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

/// What a caller with wait_result hears of branches that did not succeed (page 02, section 5.3).
enum class Reports : std::uint8_t {
  nothing,             ///< only that the transaction has not ended well
  errors,              ///< a branch's failure or error, with its text
  errors_and_ongoing,  ///< also that a branch is ongoing
};

/// What the call to the initiator (query_prepared) is for.
enum class InitiatorCall : std::uint8_t {
  none,
  asks,     ///< its answer decides how a prepared transaction goes on
  resumes,  ///< it runs the transaction, and submits its end; the call's own answer decides nothing
};

/// A transaction mode: from a transaction's state, and from the result of a call, to what is next.
/// Pure functions; what all modes share is the engine's. A new mode is one file and one line in
/// the ModeTable.
struct Mode {
  TransType type;         ///< what the store keeps
  std::string_view name;  ///< what requests call it
  /// Fills in the branches of a new transaction from the request's steps. nullptr: it has none,
  /// participants register them.
  Result<> (*expand)(const TransRequest& request, Transaction& trans);
  /// Appends the rows of a branch that a participant registers. nullptr: none does.
  Result<> (*register_branch)(const BranchRequest& request, std::vector<Branch>& rows);
  Next (*next)(const TransView& view);
  Effect (*effect)(const Transaction& trans, const Branch& branch, Outcome outcome);
  /// The status in which the transaction times out, if it does.
  std::optional<TransStatus> times_out_in;
  /// Whether the coordinator's timeout applies when the transaction names none.
  bool has_default_timeout;
  Reports reports;
  InitiatorCall initiator_call;
  /// Whether a prepared transaction may be aborted, and what it becomes. Aborting one that is on
  /// its way back already is no error.
  std::optional<TransStatus> aborts_to;
};

/// The modes that a coordinator knows. A new one is a line here.
class ModeTable {
 public:
  explicit ModeTable(std::vector<const Mode*> modes) : modes_(std::move(modes)) {}

  /// Those of the protocol.
  static const ModeTable& standard();

  /// nullptr for a type that is not in the table.
  const Mode* find(TransType type) const noexcept;
  const Mode* find(std::string_view name) const noexcept;

 private:
  std::vector<const Mode*> modes_;
};

/// `%02d` of a 1-based step number (page 01, section 7).
std::string step_branch_id(std::size_t step_number);

/// Why a transaction goes back whose time is over (page 01, section 5.2).
std::string timeout_reason(const TransView& view);

/// Appends the row of a registered branch that calls the URL in field `url_field`, none if the
/// request lacks it. Error invalid_entry.
Result<> add_registered_row(const BranchRequest& request, const std::string& op,
                            const std::string& url_field, std::vector<Branch>& rows);

namespace modes {
extern const Mode saga;
extern const Mode msg;
extern const Mode tcc;
extern const Mode xa;
extern const Mode workflow;
}  // namespace modes

}  // namespace concerto
