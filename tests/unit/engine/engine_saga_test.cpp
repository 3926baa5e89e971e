#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

class EngineSaga : public EngineFixture {};

TEST_F(EngineSaga, RunsItsStepsInOrderWithThreeDurableWrites) {
  const auto result = submit_and_wait(make_request("g", "saga", 2));
  EXPECT_EQ(error_of(result), "");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(branch_statuses("g"), "PSPS");
  EXPECT_EQ(store_.commits(), 3U);
}

TEST_F(EngineSaga, CompensatesBackwardsFromTheFailedStep) {
  branches_->reply("action 02", Outcome::failure, "no money");
  const auto result = submit_and_wait(make_request("g", "saga", 3));
  EXPECT_EQ(error_of(result), "url:a2 return failed: no money FAILURE");
  EXPECT_TRUE(code_of(result) == EngineErrc::trans_failed);
  EXPECT_THAT(branches_->calls,
              ElementsAre("action 01", "action 02", "compensate 02", "compensate 01"));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(branch_statuses("g"), "SSSFPP");
  EXPECT_EQ(query("g").rollback_reason, "url:a2 return failed: no money FAILURE");
}

TEST_F(EngineSaga, AnswersBeforeProcessingWithoutWaitResult) {
  branches_->hold("action 01");
  const auto result = submit(make_request("g", "saga", 1));
  EXPECT_EQ(error_of(result), "");
  EXPECT_EQ(status("g"), TransStatus::submitted);
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineSaga, CallsNothingBeforeTheSubmitIsDurable) {
  store_.hold_commits();
  const auto result = submit(make_request("g", "saga", 1));
  EXPECT_EQ(error_of(result), "(not ended)");
  EXPECT_THAT(branches_->calls, IsEmpty());
  store_.release_commits();
  world_->run();
  EXPECT_EQ(error_of(result), "");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
}

TEST_F(EngineSaga, StartsTheNextStepOnlyAfterASuccessIsDurable) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 2));
  store_.hold_commits();
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  store_.release_commits();
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
}

TEST_F(EngineSaga, ShowsAndAnswersTheFinalStatusOnlyWhenItIsDurable) {
  branches_->hold("action 01");
  const auto result = submit_and_wait(make_request("g", "saga", 1));
  store_.hold_commits();
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(error_of(result), "(not ended)");
  EXPECT_EQ(status("g"), TransStatus::submitted);
  store_.release_commits();
  world_->run();
  EXPECT_EQ(error_of(result), "");
}

TEST_F(EngineSaga, RetriesWithBackoffAndKeepsTheIntervalWhileOngoing) {
  branches_->reply("action 01", Outcome::error, "boom");
  branches_->reply("action 01", Outcome::error, "boom");
  branches_->reply("action 01", Outcome::ongoing);
  const auto result = submit_and_wait(make_request("g", "saga", 1));
  EXPECT_EQ(error_of(result), "the transaction has not succeeded: FAILURE");
  EXPECT_EQ(query("g").next_cron_interval, seconds(20));
  world_->advance(milliseconds(19'999));
  EXPECT_EQ(branches_->calls.size(), 1U);
  world_->advance(seconds(2));  // 20 s and the jitter
  EXPECT_EQ(branches_->calls.size(), 2U);
  EXPECT_EQ(query("g").next_cron_interval, seconds(40));
  world_->advance(seconds(43));
  EXPECT_EQ(branches_->calls.size(), 3U);
  EXPECT_EQ(query("g").next_cron_interval, seconds(40));
  world_->advance(seconds(43));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineSaga, BackoffHasALimit) {
  for (int i = 0; i < 20; ++i) branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 1));
  world_->advance(std::chrono::hours(20));
  EXPECT_LE(query("g").next_cron_interval, seconds(3600));
  EXPECT_GT(branches_->calls.size(), 15U);
}

TEST_F(EngineSaga, RollsBackAfterAsManyRetriesAsRetryLimitAllows) {
  auto request = make_request("g", "saga", 2);
  request.options.retry_limit = 2;
  for (int i = 0; i < 3; ++i) branches_->reply("action 02", Outcome::error, "down");
  const auto result = submit_and_wait(request);
  world_->advance(seconds(1));
  EXPECT_EQ(error_of(result), "RetryCount is greater than RetryLimit, RetryLimit: 2 FAILURE");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "action 02", "action 02",
                                            "compensate 02", "compensate 01"));
  EXPECT_EQ(branch_statuses("g"), "SSSP");
}

TEST_F(EngineSaga, TimesOutAtItsTimeAndCompensatesAfterTheRunningCall) {
  auto request = make_request("g", "saga", 2);
  request.options.timeout_to_fail = seconds(4);
  branches_->hold("action 01");
  submit(request);
  world_->advance(seconds(4));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "compensate 01"));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(query("g").rollback_reason, "Timeout after 4 seconds");
  EXPECT_EQ(branch_statuses("g"), "SPPP");
}

TEST_F(EngineSaga, TimesOutWhileItWaits) {
  auto request = make_request("g", "saga", 2);
  request.options.timeout_to_fail = seconds(15);
  branches_->reply("action 01", Outcome::error);
  submit(request);
  world_->advance(seconds(14));
  EXPECT_EQ(status("g"), TransStatus::submitted);
  clock_.step_wall(-std::chrono::hours(5));  // Wall time does not matter.
  world_->advance(seconds(1));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "compensate 01"));
}

TEST_F(EngineSaga, ConcurrentStepsStartTogetherAndKeepToOrders) {
  auto request = make_request("g", "saga", 3);
  request.custom_data = R"({"concurrent":true,"orders":{"2":[0,1]}})";
  for (const char* name : {"action 01", "action 02", "action 03"}) branches_->hold(name);
  const auto result = submit_and_wait(request);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  branches_->answer("action 02", Outcome::success);
  world_->run();
  EXPECT_EQ(branches_->calls.size(), 2U);
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "action 03"));
  branches_->answer("action 03", Outcome::success);
  world_->run();
  EXPECT_EQ(error_of(result), "");
}

TEST_F(EngineSaga, CompensatesAConcurrentActionOnlyAfterItsCallHasEnded) {
  auto request = make_request("g", "saga", 2);
  request.custom_data = R"({"concurrent":true})";
  branches_->hold("action 01");
  branches_->hold("action 02");
  submit(request);
  branches_->answer("action 01", Outcome::failure, "no");
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::aborting);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "compensate 01"));
  branches_->answer("action 02", Outcome::success);
  world_->run();
  EXPECT_EQ(branches_->calls.back(), "compensate 02");
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineSaga, CompensationIsRetriedUntilItSucceeds) {
  branches_->reply("action 01", Outcome::failure, "no");
  branches_->reply("compensate 01", Outcome::failure, "not now");
  submit(make_request("g", "saga", 1));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineSaga, StaysPreparedUntilItIsSubmitted) {
  auto request = make_request("g", "saga", 1);
  request.steps[0].compensate = "";
  EXPECT_EQ(error_of(prepare(request)), "");
  world_->advance(std::chrono::hours(2));
  EXPECT_EQ(status("g"), TransStatus::prepared);
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_EQ(error_of(submit_and_wait(request)), "");
}

TEST_F(EngineSaga, EmptyCompensationIsNotCalled) {
  auto request = make_request("g", "saga", 2);
  request.steps[1].compensate = "";
  branches_->reply("action 02", Outcome::failure, "no");
  submit(request);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "compensate 01"));
  EXPECT_EQ(branch_statuses("g"), "SSSF");
}

// Step 2 succeeds, and before that is durable, a crash comes. At the restart the timeout is over.
TEST_F(EngineSaga, CompensatesAllStepsIfItsTimeoutEndsDuringACrash) {
  auto request = make_request("g", "saga", 3);
  request.options.timeout_to_fail = seconds(10);
  branches_->hold("action 02");
  submit(request);
  store_.hold_commits();
  branches_->answer("action 02", Outcome::success);
  world_->run();  // The success of step 2 is not durable yet.
  clock_.advance(seconds(60));
  restart_after_crash();
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("compensate 02", "compensate 01"));
  EXPECT_EQ(status("g"), TransStatus::failed);
}

// Step 1 has succeeded before the crash, so it must be compensated even if the repeated call fails.
TEST_F(EngineSaga, CompensatesAStepThatFailsWhenItIsRepeatedAfterACrash) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 2));
  store_.hold_commits();
  branches_->answer("action 01", Outcome::success);
  world_->run();
  CoordinatorWorld::crash(std::move(world_));
  store_.crash();
  start_world();
  branches_->reply("action 01", Outcome::failure, "exists");
  recover();
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "compensate 01"));
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineSaga, KeepsTheReasonOfAStoredDecisionOverACrash) {
  branches_->reply("action 01", Outcome::failure, "no");
  store_.hold_commits();
  submit(make_request("g", "saga", 1));
  store_.release_commits(1);  // the submit
  world_->run();
  store_.release_commits(1);  // the decision
  world_->run();
  restart_after_crash();
  world_->advance(milliseconds(1));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(query("g").rollback_reason, "url:a1 return failed: no FAILURE");
}

TEST_F(EngineSaga, WaitingTransactionsKeepTheirTimeOverARestart) {
  branches_->reply("action 01", Outcome::ongoing);
  submit(make_request("g", "saga", 1));
  submit(make_request("durable", "saga", 1));  // carries the progress of g
  clock_.advance(seconds(4));
  restart_after_crash();
  world_->advance(seconds(5));
  EXPECT_EQ(status("g"), TransStatus::submitted);
  world_->advance(seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
