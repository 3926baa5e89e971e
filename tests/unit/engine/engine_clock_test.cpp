// A clock was ahead and has been corrected: the times that were stored before keep no transaction
// waiting.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using std::chrono::hours;

class AClockThatWasAhead : public EngineFixture {
 protected:
  /// Until the restart the clock is a day ahead.
  void SetUp() override {
    clock_.step_wall(hours(24));
    EngineFixture::SetUp();
  }
  void restart_with_the_right_clock() {
    clock_.step_wall(-hours(24));
    restart();
  }
};

TEST_F(AClockThatWasAhead, KeepsARetryWaitingNoLongerThanItsInterval) {
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("g", "saga", 1));
  world_->advance(seconds(1));
  restart_with_the_right_clock();
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(AClockThatWasAhead, KeepsAMsgWaitingNoLongerThanItsDelay) {
  auto request = make_request("m", "msg", 1);
  request.custom_data = R"({"delay":60})";
  submit(std::move(request));
  restart_with_the_right_clock();
  world_->advance(seconds(59));
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(seconds(2));
  EXPECT_EQ(status("m"), TransStatus::succeed);
}

TEST_F(AClockThatWasAhead, KeepsARetryOfADelayedMsgWaitingNoLongerThanItsInterval) {
  auto request = make_request("m", "msg", 1);
  request.custom_data = R"({"delay":600})";
  submit(std::move(request));
  branches_->reply("action 01", Outcome::error, "refused");
  world_->advance(seconds(601));
  ASSERT_THAT(branches_->calls, ElementsAre("action 01"));
  restart_with_the_right_clock();
  world_->advance(seconds(22));
  EXPECT_EQ(status("m"), TransStatus::succeed);
}

TEST_F(AClockThatWasAhead, KeepsAWorkflowWaitingNoLongerThanItsInterval) {
  auto request = make_request("w", "workflow", 0);
  request.query_prepared = "http://app/w";
  request.custom_data = R"({"name":"w","data":""})";
  prepare_workflow(std::move(request));
  restart_with_the_right_clock();
  world_->advance(seconds(11));
  EXPECT_THAT(branches_->calls, ElementsAre("w 00"));
}

TEST_F(AClockThatWasAhead, KeepsAPreparedMsgWaitingNoLongerThanItsTimeout) {
  auto request = make_request("m", "msg", 1);
  request.query_prepared = "http://app/query";
  prepare(std::move(request));
  branches_->reply("msg 00", Outcome::error, "refused");
  restart_with_the_right_clock();
  world_->advance(seconds(36));
  EXPECT_EQ(status("m"), TransStatus::succeed);
}

TEST_F(AClockThatWasAhead, DoesNotChangeTheTimeThatOperatorsSee) {
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("g", "saga", 1));
  restart_with_the_right_clock();
  const auto found = world_->start(world_->coordinator().inspect(Gid("g")));
  const Inspection why = found->value().value().value();
  ASSERT_TRUE(why.next_attempt.has_value());
  EXPECT_LE(*why.next_attempt, clock_.wall_now() + seconds(22));
}

}  // namespace
}  // namespace concerto::test
