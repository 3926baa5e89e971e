// The functions of each mode, called directly: what the result of a call means, and what follows
// from it. mode_next_test.cpp has the states in between, and mode_requests_test.cpp the requests.

#include <array>

#include <gtest/gtest.h>

#include "mode_state.hpp"

namespace concerto::test {
namespace {

/// Every mode in every status, with every outcome of a call.
struct OutcomeCase {
  const char* name;
  const Mode* mode;
  TransStatus status;
  const char* branches;  ///< a letter for the status of each row, in the order of ops_of
  const char* op;        ///< of the call that ends; `application` for the call to the application
  /// `effect; next` after success, failure, ongoing and error. The application's call has no
  /// effect.
  std::array<const char*, 4> want;
};
void PrintTo(const OutcomeCase& row, std::ostream* out) {
  *out << row.name;
}
const auto name_of_row = [](const auto& row) { return std::string(row.param.name); };

constexpr std::array<Outcome, 4> outcomes{Outcome::success, Outcome::failure, Outcome::ongoing,
                                          Outcome::error};

/// The rows of a branch of the mode, in their order.
std::vector<std::string> ops_of(const Mode& mode) {
  if (&mode == &modes::saga) return {"compensate", "action"};
  if (&mode == &modes::tcc) return {"cancel", "confirm"};
  if (&mode == &modes::xa) return {"rollback", "commit"};
  return {"action"};
}

/// The result of a call to the branch with `op`, as the engine records it.
std::string after_branch_call(const Mode& mode, ModeState& state, std::string_view op,
                              Outcome outcome) {
  auto& branches = state.trans.branches;
  std::size_t row = 0;
  while (branches[row].op != op) ++row;
  const Effect effect = mode.effect(state.trans, branches[row], outcome);
  state.runs[row] = effect == Effect::retry_soon ? RunState::pausing : RunState::tried;
  state.retries_exhausted = effect == Effect::give_up;
  if (effect == Effect::succeed) branches[row].status = BranchStatus::succeed;
  if (effect == Effect::fail) branches[row].status = BranchStatus::failed;
  state.failure_text = "no FAILURE";
  return text_of(effect) + "; " + text_of(state.next(mode));
}

std::string after_application_call(const Mode& mode, ModeState& state, Outcome outcome) {
  state.timed_out = mode.application_call == ApplicationCall::asks;
  EXPECT_EQ(text_of(state.next(mode)), "asks");
  state.query = RunState::tried;
  state.query_outcome = outcome;
  return text_of(state.next(mode));
}

class ModeOutcome : public testing::TestWithParam<OutcomeCase> {};

TEST_P(ModeOutcome, HasItsEffect) {
  const OutcomeCase& row = GetParam();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    SCOPED_TRACE(to_string(outcomes[i]));
    ModeState state(row.status, ops_of(*row.mode), row.branches);
    const std::string got = row.op == std::string_view("application")
                                ? after_application_call(*row.mode, state, outcomes[i])
                                : after_branch_call(*row.mode, state, row.op, outcomes[i]);
    EXPECT_EQ(got, row.want[i]);
  }
}

constexpr TransStatus prepared = TransStatus::prepared;
constexpr TransStatus submitted = TransStatus::submitted;
constexpr TransStatus aborting = TransStatus::aborting;
constexpr TransStatus succeed = TransStatus::succeed;
constexpr TransStatus failed = TransStatus::failed;

/// In such a status nothing is called: a result is recorded, and nothing follows from it.
constexpr std::array<const char*, 4> nothing_follows{
    "succeed; nothing", "retry later; nothing", "retry later; nothing", "retry later; nothing"};
constexpr std::array<const char*, 4> nothing_follows_in_saga{
    "succeed; nothing", "fail; nothing", "retry later; nothing", "retry later; nothing"};
constexpr std::array<const char*, 4> ends_well{"succeed; becomes succeed", "retry later; nothing",
                                               "retry later; nothing", "retry later; nothing"};
constexpr std::array<const char*, 4> ends_badly{"succeed; becomes failed", "retry later; nothing",
                                                "retry later; nothing", "retry later; nothing"};
constexpr std::array<const char*, 4> is_never_called{
    "retry later; nothing", "retry later; nothing", "retry later; nothing", "retry later; nothing"};

INSTANTIATE_TEST_SUITE_P(
    Saga, ModeOutcome,
    testing::Values(
        OutcomeCase{"Prepared", &modes::saga, prepared, "PP", "action", nothing_follows_in_saga},
        OutcomeCase{"Submitted",
                    &modes::saga,
                    submitted,
                    "PP",
                    "action",
                    {"succeed; becomes succeed",
                     "fail; becomes aborting: url:action01 return failed: no FAILURE",
                     "retry later; nothing", "retry later; nothing"}},
        OutcomeCase{"Aborting", &modes::saga, aborting, "PF", "compensate", ends_badly},
        OutcomeCase{"Succeed", &modes::saga, succeed, "PP", "action", nothing_follows_in_saga},
        OutcomeCase{"Failed", &modes::saga, failed, "PP", "action", nothing_follows_in_saga}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Msg, ModeOutcome,
    testing::Values(OutcomeCase{"Prepared",
                                &modes::msg,
                                prepared,
                                "P",
                                "application",
                                {"becomes submitted", "becomes failed", "nothing", "nothing"}},
                    OutcomeCase{"Submitted", &modes::msg, submitted, "P", "action", ends_well},
                    OutcomeCase{"Aborting", &modes::msg, aborting, "P", "action", nothing_follows},
                    OutcomeCase{"Succeed", &modes::msg, succeed, "P", "action", nothing_follows},
                    OutcomeCase{"Failed", &modes::msg, failed, "P", "action", nothing_follows}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Tcc, ModeOutcome,
    testing::Values(OutcomeCase{"Prepared", &modes::tcc, prepared, "PP", "confirm",
                                nothing_follows},
                    OutcomeCase{"Submitted", &modes::tcc, submitted, "PP", "confirm", ends_well},
                    OutcomeCase{"Aborting", &modes::tcc, aborting, "PP", "cancel", ends_badly},
                    OutcomeCase{"Succeed", &modes::tcc, succeed, "PP", "confirm", nothing_follows},
                    OutcomeCase{"Failed", &modes::tcc, failed, "PP", "cancel", nothing_follows}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Xa, ModeOutcome,
    testing::Values(OutcomeCase{"Prepared", &modes::xa, prepared, "PP", "commit", nothing_follows},
                    OutcomeCase{"Submitted", &modes::xa, submitted, "PP", "commit", ends_well},
                    OutcomeCase{"Aborting", &modes::xa, aborting, "PP", "rollback", ends_badly},
                    OutcomeCase{"Succeed", &modes::xa, succeed, "PP", "commit", nothing_follows},
                    OutcomeCase{"Failed", &modes::xa, failed, "PP", "rollback", nothing_follows}),
    name_of_row);

// Submitted and aborting are no statuses of a workflow: its application ends it.
INSTANTIATE_TEST_SUITE_P(Workflow, ModeOutcome,
                         testing::Values(OutcomeCase{"Prepared",
                                                     &modes::workflow,
                                                     prepared,
                                                     "P",
                                                     "application",
                                                     {"nothing", "nothing", "nothing", "nothing"}},
                                         OutcomeCase{"Submitted",
                                                     &modes::workflow,
                                                     submitted,
                                                     "P",
                                                     "application",
                                                     {"nothing", "nothing", "nothing", "nothing"}},
                                         OutcomeCase{"Aborting",
                                                     &modes::workflow,
                                                     aborting,
                                                     "P",
                                                     "application",
                                                     {"nothing", "nothing", "nothing", "nothing"}},
                                         OutcomeCase{"Succeed", &modes::workflow, succeed, "P",
                                                     "action", is_never_called},
                                         OutcomeCase{"Failed", &modes::workflow, failed, "P",
                                                     "action", is_never_called}),
                         name_of_row);

struct RetryCase {
  const char* name;
  const char* op;
  std::int64_t retry_limit;
  std::int64_t retry_count;
  Outcome outcome;
  const char* want;
};
void PrintTo(const RetryCase& row, std::ostream* out) {
  *out << row.name;
}

class SagaRetries : public testing::TestWithParam<RetryCase> {};

TEST_P(SagaRetries, AreLimitedByRetryLimit) {
  const RetryCase& row = GetParam();
  Transaction trans;
  trans.options.retry_limit = row.retry_limit;
  trans.retry_count = row.retry_count;
  Branch branch;
  branch.op = row.op;
  EXPECT_EQ(text_of(modes::saga.effect(trans, branch, row.outcome)), row.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SagaRetries,
    testing::Values(
        RetryCase{"WithoutALimit", "action", 0, 100, Outcome::error, "retry later"},
        RetryCase{"BelowTheLimit", "action", 3, 2, Outcome::error, "retry soon"},
        RetryCase{"OngoingBelowTheLimit", "action", 3, 0, Outcome::ongoing, "retry soon"},
        RetryCase{"AtTheLimit", "action", 3, 3, Outcome::error, "give up"},
        RetryCase{"OngoingAtTheLimit", "action", 3, 3, Outcome::ongoing, "give up"},
        RetryCase{"ASuccessAtTheLimit", "action", 3, 3, Outcome::success, "succeed"},
        RetryCase{"AFailureIsNotRetried", "action", 3, 0, Outcome::failure, "fail"},
        RetryCase{"CompensationsHaveNoLimit", "compensate", 3, 3, Outcome::error, "retry later"}),
    name_of_row);

}  // namespace
}  // namespace concerto::test
