// What each mode wants next, in all states that make a difference for it.

#include <functional>

#include <gtest/gtest.h>

#include "mode_state.hpp"

namespace concerto::test {
namespace {

struct NextCase {
  const char* name;
  TransStatus status;
  const char* branches;  ///< a letter for the status of each row: P, S or F
  const char* want;      ///< as text_of(Next)
  std::function<void(ModeState&)> given = [](ModeState&) {};
};
void PrintTo(const NextCase& row, std::ostream* out) {
  *out << row.name;
}
const auto name_of_row = [](const auto& row) { return std::string(row.param.name); };

class NextTest : public testing::TestWithParam<NextCase> {
 protected:
  std::string next(const Mode& mode, const std::vector<std::string>& ops) const {
    ModeState state(GetParam().status, ops, GetParam().branches);
    GetParam().given(state);
    return text_of(state.next(mode));
  }
};

constexpr TransStatus prepared = TransStatus::prepared;
constexpr TransStatus submitted = TransStatus::submitted;
constexpr TransStatus aborting = TransStatus::aborting;
constexpr TransStatus succeed = TransStatus::succeed;
constexpr TransStatus failed = TransStatus::failed;

void concurrent(ModeState& state) {
  state.custom.concurrent = true;
}
/// The second step builds on the first.
void ordered(ModeState& state) {
  state.custom.concurrent = true;
  state.custom.orders = {{}, {0}};
}
void timed_out(ModeState& state) {
  state.timed_out = true;
}
std::function<void(ModeState&)> run(std::size_t row, RunState is) {
  return [row, is](ModeState& state) { state.runs[row] = is; };
}

// Rows 0 and 2 are the compensations of the two steps, 1 and 3 their actions.
class SagaNext : public NextTest {};

TEST_P(SagaNext, IsAsTheTableSays) {
  EXPECT_EQ(next(modes::saga, {"compensate", "action"}), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Forward, SagaNext,
    testing::Values(
        NextCase{"CallsTheFirstAction", submitted, "PPPP", "calls 1 after a write"},
        NextCase{"CallsTheNextAction", submitted, "PSPP", "calls 3 after a write"},
        NextCase{"WaitsForTheActionThatRuns", submitted, "PPPP", "nothing",
                 run(1, RunState::running)},
        NextCase{"DoesNotRepeatWhatItTried", submitted, "PPPP", "nothing", run(1, RunState::tried)},
        NextCase{"CallsAllActionsAtOnce", submitted, "PPPP", "calls 1,3 after a write", concurrent},
        NextCase{"CallsBesideWhatRuns", submitted, "PPPP", "calls 3 after a write",
                 [](ModeState& state) {
                   concurrent(state);
                   state.runs[1] = RunState::running;
                 }},
        NextCase{"KeepsTheOrder", submitted, "PPPP", "calls 1 after a write", ordered},
        NextCase{"GoesOnInOrder", submitted, "PSPP", "calls 3 after a write", ordered},
        NextCase{"SucceedsWithItsLastAction", submitted, "PSPS", "becomes succeed"},
        NextCase{"SucceedsWithoutSteps", submitted, "", "becomes succeed"},
        NextCase{"AbortsAtItsTimeout", submitted, "PPPP",
                 "becomes aborting: Timeout after 7 seconds", timed_out},
        NextCase{"AbortsAfterAFailure", submitted, "PFPP",
                 "becomes aborting: url:action01 return failed: no money FAILURE",
                 [](ModeState& state) { state.failure_text = "no money FAILURE"; }},
        NextCase{"AbortsAfterAFailureBeforeARestart", submitted, "PFPP",
                 "becomes aborting: fail message lost"},
        NextCase{"AbortsAfterTheLastRetry", submitted, "PPPP",
                 "becomes aborting: RetryCount is greater than RetryLimit, RetryLimit: 3",
                 [](ModeState& state) {
                   state.retries_exhausted = true;
                   state.trans.options.retry_limit = 3;
                 }}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Backward, SagaNext,
    testing::Values(NextCase{"CompensatesTheLastStepFirst", aborting, "PSPF", "calls 2"},
                    NextCase{"CompensatesTheStepBefore", aborting, "PSSF", "calls 0"},
                    NextCase{"FailsWhenAllIsCompensated", aborting, "SSSF", "becomes failed"},
                    NextCase{"LeavesOutWhatNeverStarted", aborting, "PFPP", "calls 0"},
                    NextCase{"CompensatesWhatMayHaveStarted", aborting, "PSPP", "calls 2"},
                    NextCase{"WaitsForTheActionThatRuns", aborting, "PSPP", "nothing",
                             run(3, RunState::running)},
                    NextCase{"DoesNotRepeatWhatItTried", aborting, "PSPF", "nothing",
                             run(2, RunState::tried)},
                    NextCase{"CompensatesAllAtOnce", aborting, "PSPS", "calls 2,0", concurrent},
                    NextCase{"CompensatesBesideAnActionThatRuns", aborting, "PSPP", "calls 0",
                             [](ModeState& state) {
                               concurrent(state);
                               state.runs[3] = RunState::running;
                             }},
                    NextCase{"KeepsTheReverseOrder", aborting, "PSPS", "calls 2", ordered},
                    NextCase{"GoesOnInReverseOrder", aborting, "PSSS", "calls 0", ordered}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(NothingToDo, SagaNext,
                         testing::Values(NextCase{"Prepared", prepared, "PPPP", "nothing"},
                                         NextCase{"PreparedAtItsTimeout", prepared, "PPPP",
                                                  "nothing", timed_out},
                                         NextCase{"Succeeded", succeed, "PSPS", "nothing"},
                                         NextCase{"Failed", failed, "SFPP", "nothing"},
                                         NextCase{"StoppedByForce", failed, "PPPP", "nothing"}),
                         name_of_row);

class MsgNext : public NextTest {};

TEST_P(MsgNext, IsAsTheTableSays) {
  EXPECT_EQ(next(modes::msg, {"action"}), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MsgNext,
    testing::Values(
        NextCase{"AsksNobodyBeforeItsTimeout", prepared, "PP", "nothing"},
        NextCase{"AsksItsApplicationAtItsTimeout", prepared, "PP", "asks", timed_out},
        NextCase{"AsksItsApplicationOnce", prepared, "PP", "nothing",
                 [](ModeState& state) {
                   state.timed_out = true;
                   state.query = RunState::running;
                 }},
        NextCase{"CallsTheFirst", submitted, "PP", "calls 0"},
        NextCase{"CallsTheNext", submitted, "SP", "calls 1"},
        NextCase{"WaitsForTheFirst", submitted, "PP", "nothing", run(0, RunState::tried)},
        NextCase{"CallsAllAtOnce", submitted, "PP", "calls 0,1",
                 [](ModeState& state) { state.trans.options.concurrent = true; }},
        NextCase{"WaitsForItsDelay", submitted, "PP", "waits 5 s",
                 [](ModeState& state) { state.custom.delay = std::chrono::seconds(5); }},
        NextCase{"CallsAfterItsDelay", submitted, "PP", "calls 0",
                 [](ModeState& state) {
                   state.custom.delay = std::chrono::seconds(5);
                   state.delay_over = true;
                 }},
        NextCase{"HasNoTimeoutOnceSubmitted", submitted, "PP", "calls 0", timed_out},
        NextCase{"SucceedsWithItsLastAction", submitted, "SS", "becomes succeed"},
        NextCase{"SucceedsWithoutSteps", submitted, "", "becomes succeed"},
        NextCase{"NeverRollsBack", aborting, "PP", "nothing"},
        NextCase{"Succeeded", succeed, "SS", "nothing"},
        NextCase{"Failed", failed, "PP", "nothing"}),
    name_of_row);

// Rows 0 and 2 are the cancels of the two branches, 1 and 3 their confirms.
class TccNext : public NextTest {};

TEST_P(TccNext, IsAsTheTableSays) {
  EXPECT_EQ(next(modes::tcc, {"cancel", "confirm"}), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TccNext,
    testing::Values(NextCase{"WaitsForItsApplication", prepared, "PPPP", "nothing"},
                    NextCase{"AbortsAtItsTimeout", prepared, "PPPP",
                             "becomes aborting: Timeout after 7 seconds", timed_out},
                    NextCase{"ConfirmsTheNewestFirst", submitted, "PPPP", "calls 3"},
                    NextCase{"ConfirmsTheOneBefore", submitted, "PPPS", "calls 1"},
                    NextCase{"DoesNotRepeatWhatItTried", submitted, "PPPP", "nothing",
                             run(3, RunState::tried)},
                    NextCase{"SucceedsWithTheLastConfirm", submitted, "PSPS", "becomes succeed"},
                    NextCase{"SucceedsWithoutBranches", submitted, "", "becomes succeed"},
                    NextCase{"HasNoTimeoutOnceSubmitted", submitted, "PPPP", "calls 3", timed_out},
                    NextCase{"CancelsTheNewestFirst", aborting, "PPPP", "calls 2"},
                    NextCase{"CancelsTheOneBefore", aborting, "PPSP", "calls 0"},
                    NextCase{"FailsWithTheLastCancel", aborting, "SPSP", "becomes failed"},
                    NextCase{"FailsWithoutBranches", aborting, "", "becomes failed"},
                    NextCase{"Succeeded", succeed, "PSPS", "nothing"},
                    NextCase{"Failed", failed, "SPSP", "nothing"}),
    name_of_row);

// Rows 0 and 2 are the rollbacks of the two branches, 1 and 3 their commits.
class XaNext : public NextTest {};

TEST_P(XaNext, IsAsTheTableSays) {
  EXPECT_EQ(next(modes::xa, {"rollback", "commit"}), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, XaNext,
    testing::Values(NextCase{"WaitsForItsApplication", prepared, "PPPP", "nothing"},
                    NextCase{"AbortsAtItsTimeout", prepared, "PPPP",
                             "becomes aborting: Timeout after 7 seconds", timed_out},
                    NextCase{"CommitsTheOldestFirst", submitted, "PPPP", "calls 1"},
                    NextCase{"CommitsTheNext", submitted, "PSPP", "calls 3"},
                    NextCase{"DoesNotRepeatWhatItTried", submitted, "PPPP", "nothing",
                             run(1, RunState::tried)},
                    NextCase{"SucceedsWithTheLastCommit", submitted, "PSPS", "becomes succeed"},
                    NextCase{"RollsTheOldestBackFirst", aborting, "PPPP", "calls 0"},
                    NextCase{"RollsTheNextBack", aborting, "SPPP", "calls 2"},
                    NextCase{"FailsWithTheLastRollback", aborting, "SPSP", "becomes failed"},
                    NextCase{"Succeeded", succeed, "PSPS", "nothing"},
                    NextCase{"Failed", failed, "SPSP", "nothing"}),
    name_of_row);

class WorkflowNext : public NextTest {};

TEST_P(WorkflowNext, IsAsTheTableSays) {
  EXPECT_EQ(next(modes::workflow, {"action"}), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Table, WorkflowNext,
                         testing::Values(NextCase{"ResumesItsApplication", prepared, "SP", "asks"},
                                         NextCase{"ResumesItOnceInAPass", prepared, "SP", "nothing",
                                                  [](ModeState& state) {
                                                    state.query = RunState::running;
                                                  }},
                                         NextCase{"HasNoTimeout", prepared, "P", "asks", timed_out},
                                         NextCase{"Succeeded", succeed, "SS", "nothing"},
                                         NextCase{"Failed", failed, "SF", "nothing"}),
                         name_of_row);

}  // namespace
}  // namespace concerto::test
