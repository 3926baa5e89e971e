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

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/custom_data.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// The state of the call of a row in the current pass.
enum class RunState : std::uint8_t {
  idle,     ///< there was no call in this pass
  running,  ///< the call has not ended
  pausing,  ///< the call has ended; it is made again after a short pause
  tried,    ///< the call has ended; it is not made again in this pass
};

/// Everything that a decision of a mode depends on.
struct TransView {
  const Transaction& trans;
  const CustomData& custom;
  std::span<const RunState> runs;        ///< one for each row
  RunState query = RunState::idle;       ///< the call to the application (query_prepared)
  std::optional<Outcome> query_outcome;  ///< how that call ended in this pass
  bool timed_out = false;                ///< the timeout that counts in this status is over
  bool delay_over = false;               ///< the delay that the mode asked for is over
  bool retries_exhausted = false;        ///< a result of this pass was Effect::give_up
  std::chrono::seconds timeout{};        ///< the timeout in force; zero without one
  std::string_view failure_text;         ///< the failed action's answer; empty if no longer known
};

struct StatusChange {
  TransStatus to = TransStatus::failed;
  std::string rollback_reason;  ///< empty: unchanged
  std::string result = {};      ///< empty: unchanged
};

/// What a mode wants next. A pass ends when the mode wants nothing and no call runs.
struct Next {
  /// A change of status. It is made durable, and the mode is asked again; the other fields do not
  /// count.
  std::optional<StatusChange> change;
  /// The rows to call now, beside those whose calls run.
  boost::container::small_vector<std::uint32_t, 4> calls;
  /// The calls may start only after all successes so far are durable.
  bool needs_durable_successes = false;
  /// Call the application (query_prepared).
  bool ask_application = false;
  /// How long after the submit nothing may be called.
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

/// What a caller with wait_result is told about branches that did not succeed (page 02, section
/// 5.3).
enum class Reports : std::uint8_t {
  nothing,             ///< only that the transaction has not succeeded
  errors,              ///< a branch's failure or error, with its text
  errors_and_ongoing,  ///< also that a branch is ongoing
};

/// What the call to the application (query_prepared) is for.
enum class ApplicationCall : std::uint8_t {
  none,  ///< the mode makes no such call
  asks,  ///< the answer decides how a prepared transaction goes on; the op is the name of the mode
  /// The application runs the transaction and submits its end; the answer to the call decides
  /// nothing. Op and payload are name and data of CustomData. The mode calls no branches.
  resumes,
};

/// A mode consists of pure functions that decide, from the state of a transaction and from the
/// result of a call, what comes next. They may be called on any shard. The engine does what all
/// modes share. A new mode is one file and one row in a ModeTable (docs/extending.md): code that
/// depends on the mode asks the fields here. Fields without a default must be set.
struct CONCERTO_EXPORT Mode {
  TransType type;         ///< the number that stores keep
  std::string_view name;  ///< the name in requests, answers, calls and metrics
  /// The ops that metrics count by name. All other ops are counted together.
  std::span<const std::string_view> ops = {};
  /// Reads custom_data, a JSON object, into `custom`. The indexes of steps must be below
  /// `step_count`. The error is bad_custom_data. nullptr: custom_data may be any text, and `custom`
  /// keeps its defaults.
  Result<> (*read_custom)(JsonValue object, std::size_t step_count, CustomData& custom) = nullptr;
  /// Makes the branches of a new transaction from the steps of the request, and may move the URLs
  /// out of them. nullptr: the mode has no steps, and branches are registered later.
  Result<> (*expand)(TransRequest& request, Transaction& trans) = nullptr;
  /// How many rows `expand` makes of a step. Used to count the steps of a stored transaction.
  std::size_t rows_per_step = 1;
  /// Appends the rows of a branch that is registered. nullptr: no branch can be registered.
  Result<> (*register_branch)(const BranchRequest& request, std::vector<Branch>& rows) = nullptr;
  /// The field of a registration that has the URL of all rows of the branch. Empty: each row has a
  /// field of its own, named as its op.
  std::string_view registered_url_field = {};
  /// The fields of a registration that the mode reads; others are refused. Empty: any field.
  std::span<const std::string_view> registered_fields = {};
  /// Whether TransOptions::concurrent of a new transaction means `"concurrent":true` in its
  /// custom_data.
  bool has_custom_concurrent = false;
  /// What the transaction wants next. Called again after each change of its state.
  Next (*next)(const TransView& view);
  /// What `outcome`, the end of a call of the row `branch`, means.
  Effect (*effect)(const Transaction& trans, const Branch& branch, Outcome outcome);
  /// The status in which the timeout counts; nullopt: the mode has no timeout.
  std::optional<TransStatus> times_out_in = std::nullopt;
  /// Whether the coordinator's timeout applies to a transaction that names none.
  bool has_default_timeout = false;
  /// Whether calls send an empty payload; otherwise they leave it out.
  bool sends_empty_payload = false;
  Reports reports = Reports::nothing;
  ApplicationCall application_call = ApplicationCall::none;
  /// The status that an abort gives to a prepared transaction; nullopt: an abort is refused. A
  /// repeated abort is no error while the transaction rolls back.
  std::optional<TransStatus> aborts_to = std::nullopt;
};

/// Whether the application runs the transactions of the mode, so that the coordinator calls it to
/// resume them.
constexpr bool is_resumed(const Mode& mode) noexcept {
  return mode.application_call == ApplicationCall::resumes;
}

/// The modes that a coordinator knows. Its front ends, branch callers and metrics use the same
/// table. Does not change; usable on any thread.
class CONCERTO_EXPORT ModeTable {
 public:
  /// The modes outlive the table. Each mode has a type and a name of its own, and is_mode_number
  /// holds for the type.
  explicit ModeTable(std::vector<const Mode*> modes);

  /// The five modes of the protocol. A new mode is a row here.
  static const ModeTable& standard();

  /// nullptr for a type or a name that is not in the table.
  const Mode* find(TransType type) const noexcept;
  const Mode* find(std::string_view name) const noexcept;

  /// The name that answers show; `unknown` for a type that is not in the table. Another version may
  /// have stored such a type.
  std::string_view name_of(TransType type) const noexcept;

  /// The names of the modes as an error lists them: `saga, msg and tcc`. `wanted` selects modes;
  /// nullptr selects all.
  std::string names(bool (*wanted)(const Mode& mode) = nullptr) const;

  /// In the order of the table.
  std::span<const Mode* const> all() const noexcept { return modes_; }

 private:
  std::vector<const Mode*> modes_;
};

/// Reads and checks custom_data of a request. Error invalid_request.
CONCERTO_EXPORT Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                                     std::size_t step_count);
/// The same; the branches of `stored` tell how many steps there are.
CONCERTO_EXPORT Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                                     const Transaction& stored);

/// The branch_id of a step, in two digits or more (page 01, section 7). The first step has number
/// 1.
CONCERTO_EXPORT std::string step_branch_id(std::size_t step_number);

/// The rollback reason of a transaction that has timed out (page 01, section 5.2).
CONCERTO_EXPORT std::string timeout_reason(const TransView& view);

/// Appends a row of a registered branch. The URL of the row is in the field `url_field` of the
/// request; it is empty if there is no such field. Error invalid_entry.
CONCERTO_EXPORT Result<> add_registered_row(const BranchRequest& request, std::string_view op,
                                            std::string_view url_field, std::vector<Branch>& rows);

/// The modes of the protocol (page 05), each in a file of its own.
namespace modes {
CONCERTO_EXPORT extern const Mode saga;
CONCERTO_EXPORT extern const Mode msg;
CONCERTO_EXPORT extern const Mode tcc;
CONCERTO_EXPORT extern const Mode xa;
CONCERTO_EXPORT extern const Mode workflow;
}  // namespace modes

}  // namespace concerto
