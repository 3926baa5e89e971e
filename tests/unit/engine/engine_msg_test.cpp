#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

class EngineMsg : public EngineFixture {};

TransRequest make_msg(const std::string& gid, int steps = 2) {
  auto request = make_request(gid, "msg", steps);
  request.query_prepared = "query";
  return request;
}

TEST_F(EngineMsg, DeliversInOrderWithTwoWrites) {
  EXPECT_EQ(error_of(submit_and_wait(make_msg("g"))), "");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  EXPECT_EQ(store_.commits(), 2U);
}

TEST_F(EngineMsg, CallsAllActionsAtOnceIfConcurrent) {
  auto request = make_msg("g", 3);
  request.options.concurrent = true;
  branches_->reply("action 01", Outcome::error, "down");
  const auto result = submit_and_wait(request);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "action 03"));
  EXPECT_EQ(branch_statuses("g"), "PSS");
  EXPECT_THAT(error_of(result),
              HasSubstr("the branch call has no defined result and will be retried: down"));
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(branches_->calls.size(), 4U);
}

TEST_F(EngineMsg, FailureIsRetriedForEver) {
  branches_->reply("action 01", Outcome::failure, "no");
  const auto result = submit_and_wait(make_msg("g", 1));
  EXPECT_TRUE(code_of(result) == EngineErrc::branch_failure);
  EXPECT_THAT(error_of(result), HasSubstr("retried: no FAILURE"));
  EXPECT_EQ(status("g"), TransStatus::submitted);
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, OngoingIsNotYetASuccess) {
  branches_->reply("action 01", Outcome::ongoing);
  EXPECT_EQ(error_of(submit_and_wait(make_msg("g", 1))),
            "the transaction has not succeeded: FAILURE");
}

TEST_F(EngineMsg, SubmitsAfterPrepareWithTheStoredSteps) {
  EXPECT_EQ(error_of(prepare(make_msg("g"))), "");
  EXPECT_EQ(error_of(prepare(make_msg("g"))), "");
  EXPECT_EQ(status("g"), TransStatus::prepared);
  EXPECT_EQ(error_of(submit_and_wait(make_msg("g", 0))), "");
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  world_->advance(std::chrono::hours(1));
  EXPECT_EQ(branches_->calls.size(), 2U) << "nobody is asked after the submit";
}

TEST_F(EngineMsg, AbortsWhilePrepared) {
  prepare(make_msg("g"));
  EXPECT_EQ(error_of(abort(make_msg("g"))), "");
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(error_of(abort(make_msg("g"))),
            "trans type: 'msg' current status 'failed', cannot abort. FAILURE");
  EXPECT_EQ(error_of(submit(make_msg("g"))), "current status 'failed', cannot submit. FAILURE");
  EXPECT_EQ(error_of(prepare(make_msg("g"))), "current status 'failed', cannot prepare. FAILURE");
}

TEST_F(EngineMsg, AsksTheApplicationAfterTheTimeout) {
  branches_->reply("msg 00", Outcome::ongoing);
  auto request = make_msg("g", 1);
  request.options.timeout_to_fail = seconds(3);
  prepare(request);
  world_->advance(milliseconds(2'999));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00"));
  world_->advance(seconds(3));
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00", "msg 00", "action 01"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, FailsWhenTheApplicationSaysSo) {
  branches_->reply("msg 00", Outcome::failure);
  prepare(make_msg("g"));
  world_->advance(seconds(35));
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00"));
}

TEST_F(EngineMsg, AsksAgainWithBackoffAfterAnError) {
  branches_->reply("msg 00", Outcome::error);
  prepare(make_msg("g", 1));
  world_->advance(seconds(35));
  EXPECT_EQ(query("g").next_cron_interval, seconds(20));
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, IsSubmittedAfterTheTimeoutWithAWarningIfItHasNoQueryPrepared) {
  auto request = make_msg("g", 1);
  request.query_prepared = "";
  prepare(request);
  world_->advance(seconds(35));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(world_->observer().lines, testing::Contains(HasSubstr("has no query_prepared")));
}

TEST_F(EngineMsg, DelayCountsFromTheSubmit) {
  auto request = make_msg("g", 1);
  prepare(request);
  world_->advance(seconds(8));
  request.custom_data = R"({"delay":5})";
  EXPECT_EQ(error_of(submit_and_wait(request)), "the transaction has not succeeded: FAILURE");
  world_->advance(milliseconds(4'999));
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_EQ(query("g").next_cron_interval, seconds(10));
  world_->advance(milliseconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, DelayIsKeptWhenTheApplicationIsAskedTwice) {
  branches_->reply("msg 00", Outcome::error);
  auto request = make_msg("g", 1);
  request.custom_data = R"({"delay":60})";
  prepare(request);
  world_->advance(seconds(35));
  world_->advance(seconds(22));
  ASSERT_EQ(status("g"), TransStatus::submitted);
  world_->advance(seconds(50));
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00", "msg 00"));
  world_->advance(seconds(12));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, DelaySurvivesACrashRightAfterTheSubmit) {
  auto request = make_msg("g", 1);
  request.custom_data = R"({"delay":60})";
  submit(request);
  restart_after_crash();
  world_->advance(seconds(50));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(seconds(12));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, RestartKeepsTheRestOfADelayAndOfATimeout) {
  auto delayed = make_msg("delayed", 1);
  delayed.custom_data = R"({"delay":20})";
  submit(delayed);
  prepare(make_msg("prepared", 1));
  clock_.advance(seconds(15));
  restart_after_crash();
  world_->advance(milliseconds(4'999));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  world_->advance(seconds(15));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "msg 00", "action 01"));
}

TEST_F(EngineMsg, LosingProgressRepeatsACallAndNothingElse) {
  branches_->hold("action 02");
  submit(make_msg("g"));
  world_->advance(milliseconds(20));
  EXPECT_EQ(store_.commits(), 2U) << "the first success is written after the progress delay";
  restart_after_crash();
  world_->advance(milliseconds(1));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineMsg, ProgressIsWrittenAfterItsDelay) {
  options_.progress_delay = milliseconds(300);
  start_world();
  branches_->hold("action 02");
  submit(make_msg("g"));
  world_->advance(milliseconds(299));
  EXPECT_EQ(store_.commits(), 1U);
  world_->advance(milliseconds(1));
  EXPECT_EQ(store_.commits(), 2U);
}

}  // namespace
}  // namespace concerto::test
