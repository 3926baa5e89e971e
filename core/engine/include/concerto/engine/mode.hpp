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
#include <concerto/engine/custom_data.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>

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
  /// Ask the application how its local work ended (query_prepared).
  bool ask_application = false;
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

/// What the call to the application (query_prepared) is for.
enum class ApplicationCall : std::uint8_t {
  none,
  asks,  ///< its answer decides how a prepared transaction goes on; the op is the mode's name
  /// It runs the transaction, and submits its end; the call's own answer decides nothing. Op and
  /// payload are CustomData's name and data. The mode calls no branches.
  resumes,
};

/// A transaction mode: from a transaction's state, and from the result of a call, to what is next.
/// Pure functions, called on any shard; what all modes share is the engine's. A new mode is one
/// file and one row in a ModeTable (docs/extending.md): nothing else knows it, what depends on a
/// mode asks here. Fields without a default have to be given.
struct Mode {
  TransType type;         ///< what stores keep
  std::string_view name;  ///< what requests call it, and what answers, calls and metrics show
  /// The ops of its calls that metrics count by name; others count together.
  std::span<const std::string_view> ops = {};
  /// Reads custom_data, which is a JSON object. `step_count` bounds the indexes of steps. The error
  /// is bad_custom_data. nullptr: the transaction may have any text there, and the mode gets the
  /// defaults.
  Result<> (*read_custom)(JsonValue object, std::size_t step_count, CustomData& custom) = nullptr;
  /// Fills in the branches of a new transaction from the request's steps. nullptr: it has none,
  /// participants register them.
  Result<> (*expand)(const TransRequest& request, Transaction& trans) = nullptr;
  /// How many rows `expand` makes of a step, where read_custom counts steps.
  std::size_t rows_per_step = 1;
  /// Appends the rows of a branch that a participant registers. nullptr: none does.
  Result<> (*register_branch)(const BranchRequest& request, std::vector<Branch>& rows) = nullptr;
  /// The field of a registered branch that has the URL of all its rows. Empty: each row has a field
  /// of its own, with the name of its op.
  std::string_view registered_url_field = {};
  /// What a transaction wants, given its state. Called again after each change of that state.
  Next (*next)(const TransView& view);
  /// What the result of a call to `branch` means.
  Effect (*effect)(const Transaction& trans, const Branch& branch, Outcome outcome);
  /// The status in which the transaction times out, if it does.
  std::optional<TransStatus> times_out_in = std::nullopt;
  /// Whether the coordinator's timeout applies when the transaction names none.
  bool has_default_timeout = false;
  /// Whether an empty payload is sent to a branch as one, and not left out of the call.
  bool sends_empty_payload = false;
  Reports reports = Reports::nothing;
  ApplicationCall application_call = ApplicationCall::none;
  /// Whether a prepared transaction may be aborted, and what it becomes. Aborting one that is on
  /// its way back already is no error.
  std::optional<TransStatus> aborts_to = std::nullopt;
};

/// Whether an application runs the transactions of the mode, and the coordinator calls it to resume
/// them.
constexpr bool is_resumed(const Mode& mode) noexcept {
  return mode.application_call == ApplicationCall::resumes;
}

/// The modes that a coordinator knows, and with it the front ends, the calls to branches and the
/// metrics. Does not change; usable on any thread.
class ModeTable {
 public:
  /// The modes outlive the table. No two of them have the same name or type, and every type is one
  /// that stores keep (is_mode_number).
  explicit ModeTable(std::vector<const Mode*> modes);

  /// The five of the protocol. A new one is a row here.
  static const ModeTable& standard();

  /// nullptr for a type or a name that is not in the table.
  const Mode* find(TransType type) const noexcept;
  const Mode* find(std::string_view name) const noexcept;

  /// The name that answers show; `unknown` for a type that is not in the table, which another
  /// version may have stored.
  std::string_view name_of(TransType type) const noexcept;

  /// The names of the modes as an error lists them: `saga, msg and tcc`. `wanted` selects some.
  std::string names(bool (*wanted)(const Mode& mode) = nullptr) const;

  /// In the order of the table.
  std::span<const Mode* const> all() const noexcept { return modes_; }

 private:
  std::vector<const Mode*> modes_;
};

/// Reads and checks custom_data of a request. Error invalid_request.
Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                     std::size_t step_count);
/// The same for `stored`, whose branches tell how many steps there are.
Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                     const Transaction& stored);

/// `%02d` of a 1-based step number (page 01, section 7).
std::string step_branch_id(std::size_t step_number);

/// Why a transaction goes back whose time is over (page 01, section 5.2).
std::string timeout_reason(const TransView& view);

/// Appends the row of a registered branch that calls the URL in field `url_field`, none if the
/// request lacks it. Error invalid_entry.
Result<> add_registered_row(const BranchRequest& request, std::string_view op,
                            std::string_view url_field, std::vector<Branch>& rows);

/// The modes of the protocol (page 05), each in a file of its own.
namespace modes {
extern const Mode saga;
extern const Mode msg;
extern const Mode tcc;
extern const Mode xa;
extern const Mode workflow;
}  // namespace modes

}  // namespace concerto
