// Operators hold calls up.

#include "engine_fixture.hpp"
#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;

Pause pause_of(PauseKind kind, std::string value) {
  return {kind, std::move(value), "ticket", {}, {}};
}

class EnginePauses : public EngineFixture {
 protected:
  Pending<Result<Pause>> pause(PauseKind kind, std::string value) {
    return world_->start(world_->coordinator().pause(pause_of(kind, std::move(value))));
  }
  Pending<Result<>> resume(PauseKind kind, std::string value) {
    return world_->start(world_->coordinator().resume(kind, std::move(value)));
  }
  std::string why(const std::string& gid) {
    return world_->start(world_->coordinator().inspect(Gid(gid)))->value().value()->explanation;
  }
};

TEST_F(EnginePauses, HoldsUpCallsUntilItEnds) {
  EXPECT_EQ(error_of(pause(PauseKind::target, "a2")), "");
  submit(make_request("g", "saga", 2));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_THAT(why("g"), HasSubstr("target 'a2' is paused: ticket"));
  world_->advance(seconds(3'000));
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_EQ(error_of(resume(PauseKind::target, "a2")), "");
  EXPECT_EQ(error_of(reset("g")), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EnginePauses, WhatIsHeldUpLooksAgainByItself) {
  pause(PauseKind::target, "a1");
  submit(make_request("g", "saga", 1));
  resume(PauseKind::target, "a1");
  world_->advance(seconds(601));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EnginePauses, TheIntervalDoesNotGrowMeanwhile) {
  pause(PauseKind::target, "a1");
  submit(make_request("g", "saga", 1));
  const auto before = query("g").next_cron_interval;
  world_->advance(seconds(7'000));
  EXPECT_EQ(query("g").next_cron_interval, before);
}

TEST_F(EnginePauses, AModeIsPausedWithAllItsCalls) {
  EXPECT_EQ(error_of(pause(PauseKind::mode, "msg")), "");
  submit(make_request("m", "msg", 1));
  submit(make_request("s", "saga", 1));
  EXPECT_EQ(status("m"), TransStatus::submitted);
  EXPECT_EQ(status("s"), TransStatus::succeed);
}

TEST_F(EnginePauses, ACallThatRunsIsNotEnded) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 2));
  pause(PauseKind::mode, "saga");
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(branch_statuses("g"), "PSPP");
  EXPECT_EQ(status("g"), TransStatus::submitted);
}

TEST_F(EnginePauses, HoldsAfterACrash) {
  pause(PauseKind::target, "a1");
  submit(make_request("g", "saga", 1));
  restart_after_crash();
  world_->advance(seconds(3'000));
  EXPECT_THAT(branches_->calls, IsEmpty());
  const auto pauses = world_->start(world_->coordinator().pauses())->value().value();
  ASSERT_THAT(pauses, SizeIs(1));
  EXPECT_EQ(pauses[0].reason, "ticket");
}

TEST_F(EnginePauses, ARollbackIsHeldUpToo) {
  branches_->reply("action 02", Outcome::failure);
  pause(PauseKind::target, "c1");
  submit(make_request("g", "saga", 2));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  world_->advance(seconds(3'000));
  EXPECT_THAT(branches_->calls, testing::Not(testing::Contains("compensate 01")));
  resume(PauseKind::target, "c1");
  reset("g");
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EnginePauses, OddRequestsAreRefused) {
  EXPECT_THAT(error_of(pause(PauseKind::target, "")), HasSubstr("value: expected 1 to 100 bytes"));
  EXPECT_THAT(error_of(pause(PauseKind::mode, "sage")), HasSubstr("'sage' is none of"));
  EXPECT_EQ(code_of(resume(PauseKind::target, "x")), EngineErrc::key_not_found);
  pause(PauseKind::target, "x");
  EXPECT_THAT(error_of(pause(PauseKind::target, "x")), HasSubstr("is paused already"));
}

TEST_F(EnginePauses, ATopicIsPausedWithItsSubscribers) {
  Coordinator& coordinator = world_->coordinator();
  EXPECT_THAT(error_of(pause(PauseKind::topic, "news")), HasSubstr("there is no topic 'news'"));
  world_->start(coordinator.subscribe("news", "b1", ""));
  world_->start(coordinator.subscribe("other", "b2", ""));
  EXPECT_EQ(error_of(pause(PauseKind::topic, "news")), "");
  const auto send = [this](const std::string& gid, const std::string& action) {
    TransRequest message = make_request(gid, "msg", 1);
    message.steps[0].action = action;
    submit(std::move(message));
    return status(gid);
  };
  EXPECT_EQ(send("held", "topic://news"), TransStatus::submitted);
  EXPECT_THAT(why("held"), HasSubstr("topic 'news' is paused: ticket"));
  EXPECT_EQ(send("other", "topic://other"), TransStatus::succeed);
  submit(make_request("s", "saga", 1));
  EXPECT_EQ(status("s"), TransStatus::succeed);
  // Who subscribes later is held up too; who has unsubscribed is not.
  world_->start(coordinator.subscribe("news", "b3", ""));
  EXPECT_EQ(send("later", "b3"), TransStatus::submitted);
  world_->start(coordinator.unsubscribe("news", "b3"));
  EXPECT_EQ(send("after", "b3"), TransStatus::succeed);
  restart_after_crash();
  world_->advance(seconds(3'000));
  EXPECT_EQ(status("held"), TransStatus::submitted);
  EXPECT_EQ(error_of(resume(PauseKind::topic, "news")), "");
  EXPECT_EQ(error_of(reset("held")), "");
  EXPECT_EQ(status("held"), TransStatus::succeed);
}

TEST_F(EnginePauses, ADamagedTopicHoldsAllMessagesUp) {
  world_->start(world_->coordinator().subscribe("news", "b1", ""));
  EXPECT_EQ(error_of(pause(PauseKind::topic, "news")), "");
  const auto found = world_->start(store_.find_kv("topics", "news"))->value().value();
  KvRecord record = found.at(0);
  record.value = "no list";
  EXPECT_TRUE(world_->start(store_.update_kv(record))->value());
  restart_after_crash();
  submit(make_request("m", "msg", 1));
  EXPECT_EQ(status("m"), TransStatus::submitted);
}

class SharedPauses : public SharedFixture {};

TEST_F(SharedPauses, HoldForAllCoordinators) {
  const auto paused = a_->world->start(a_->coordinator().pause(pause_of(PauseKind::target, "a1")));
  EXPECT_EQ(error_of(paused), "");
  advance(seconds(5));
  submit(*b_, make_request("g", "saga", 1));
  advance(seconds(30));
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  EXPECT_THAT(a_branches_.calls, IsEmpty());
  b_->world->start(b_->coordinator().resume(PauseKind::target, "a1"));
  reset(*b_);
  advance(seconds(10));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
