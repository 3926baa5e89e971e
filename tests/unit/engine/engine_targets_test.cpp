// A target that does not answer holds up its own transactions and no others.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;

class EngineTargets : public EngineFixture {
 protected:
  EngineTargets() { options_.wakes_per_target_max = 2; }

  /// A saga of two steps, each at a service of its own.
  static TransRequest saga(const std::string& gid, const std::string& first) {
    auto request = make_request(gid, "saga", 2);
    request.steps[0].action = first;
    request.steps[1].action = "http://second/a";
    return request;
  }

  /// Submits sagas whose first call ends in an error and is repeated 20 seconds later.
  void submit_failing(int count, const std::string& url) {
    for (int i = 0; i < count; ++i) {
      branches_->reply("action 01", Outcome::error, "refused");
      submit(saga("dead" + std::to_string(i), url));
    }
  }

  InFlight in_flight() { return world_->coordinator().in_flight(); }
};

TEST_F(EngineTargets, ADeadTargetIsCalledByFewTransactionsAtATime) {
  submit_failing(5, "http://dead/a");
  branches_->hold("action 01");
  branches_->calls.clear();
  world_->advance(seconds(25));
  EXPECT_THAT(branches_->calls, SizeIs(2));
  EXPECT_EQ(in_flight().queued, 3U);
  EXPECT_EQ(in_flight().live, 2U);  // Of the others there are only gids.

  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(in_flight().queued, 2U);
  while (branches_->waits("action 01")) {
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(status("dead" + std::to_string(i)), TransStatus::succeed);
  EXPECT_EQ(in_flight().queued, 0U);
}

TEST_F(EngineTargets, AHealthyTargetDoesNotWaitForADeadOne) {
  submit_failing(5, "http://dead/a");
  branches_->reply("action 02", Outcome::error, "refused");
  submit(saga("healthy", "http://first/a"));
  branches_->hold("action 01");
  world_->advance(seconds(25));
  EXPECT_EQ(in_flight().queued, 3U);
  EXPECT_EQ(status("healthy"), TransStatus::succeed);
}

TEST_F(EngineTargets, AQueuedTimeoutIsNotLostWhenItsTransactionIsTriedNow) {
  options_.wakes_per_target_max = 1;
  start_world();
  branches_->hold("msg 00");
  for (const char* gid : {"first", "second"}) {
    auto request = make_request(gid, "msg", 1);
    request.query_prepared = "http://app/query";
    prepare(std::move(request));
  }
  world_->advance(seconds(40));
  EXPECT_EQ(in_flight().queued, 1U);
  for (const char* gid : {"first", "second"}) {
    world_->start(world_->coordinator().reset_next_cron_time(Gid(gid)));
    world_->run();
  }
  while (branches_->waits("msg 00")) {
    branches_->answer("msg 00", Outcome::success);
    world_->run();
  }
  EXPECT_EQ(status("first"), TransStatus::succeed);
  EXPECT_EQ(status("second"), TransStatus::succeed);
}

TEST_F(EngineTargets, ATargetThatIsBackGetsItsBacklogEverFaster) {
  options_.wakes_per_target_max = 200;
  start_world();
  submit_failing(300, "http://dead/a");
  branches_->hold("action 01");
  branches_->calls.clear();
  world_->advance(seconds(25));
  EXPECT_THAT(branches_->calls, SizeIs(16));
  const auto answer_all = [&](Outcome outcome) {
    std::size_t answered = 0;
    for (std::size_t running = branches_->waiting("action 01"); answered < running; ++answered) {
      branches_->answer("action 01", outcome);
    }
    world_->run();
    return branches_->waiting("action 01");
  };
  EXPECT_EQ(answer_all(Outcome::error), 16U);
  EXPECT_EQ(answer_all(Outcome::success), 32U);
  EXPECT_EQ(answer_all(Outcome::success), 64U);
  EXPECT_EQ(answer_all(Outcome::success), 128U);
  answer_all(Outcome::success);
  EXPECT_EQ(in_flight().queued, 0U);
}

TEST_F(EngineTargets, RecoveredTransactionsKeepToTheLimitToo) {
  branches_->hold("action 01");
  for (int i = 0; i < 5; ++i) submit(saga("dead" + std::to_string(i), "http://dead/a"));
  EXPECT_THAT(branches_->calls, SizeIs(5));  // A first pass needs no slot.
  CoordinatorWorld::crash(std::move(world_));
  store_.crash();
  start_world();
  branches_->hold("action 01");
  recover();
  world_->advance(seconds(1));
  EXPECT_THAT(branches_->calls, SizeIs(2));
  EXPECT_EQ(in_flight().queued, 3U);
  EXPECT_EQ(in_flight().unfinished[static_cast<std::size_t>(TransType::saga)], 5U);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(branches_->waits("action 01"));
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  EXPECT_EQ(in_flight().unfinished[static_cast<std::size_t>(TransType::saga)], 0U);
}

TEST_F(EngineTargets, ARowWithoutAUrlDoesNotLiftTheLimit) {
  branches_->hold("confirm 01");
  for (int i = 0; i < 5; ++i) {
    const std::string gid = "t" + std::to_string(i);
    prepare(make_request(gid, "tcc", 0));
    for (const std::string id : {"01", "02"}) {
      BranchRequest branch;
      branch.gid = Gid(gid);
      branch.trans_type = "tcc";
      branch.branch_id = id;
      if (id == "01") branch.fields = {{"confirm", "http://dead/c"}};
      register_branch(std::move(branch));
    }
    submit(make_request(gid, "tcc", 0));
  }
  CoordinatorWorld::crash(std::move(world_));
  store_.crash();
  start_world();
  branches_->hold("confirm 01");
  recover();
  world_->advance(milliseconds(1));
  // The newest branch comes first: it has no URL and is done without a call.
  EXPECT_THAT(branches_->calls, ElementsAre("confirm 01", "confirm 01"));
  EXPECT_EQ(in_flight().queued, 3U);
}

TEST_F(EngineTargets, ATimeoutIsNotLostInAQueue) {
  for (const std::string gid : {"m1", "m2", "m3"}) {
    auto request = make_request(gid, "msg", 1);
    request.query_prepared = "http://dead/query";
    prepare(std::move(request));
  }
  branches_->hold("msg 00");
  world_->advance(seconds(36));
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00", "msg 00"));
  branches_->answer("msg 00", Outcome::success);
  world_->run();
  branches_->answer("msg 00", Outcome::success);
  world_->run();
  branches_->answer("msg 00", Outcome::success);
  world_->run();
  for (const std::string gid : {"m1", "m2", "m3"}) EXPECT_EQ(status(gid), TransStatus::succeed);
}

TEST_F(EngineTargets, AQueuedTransactionThatIsTriedNowLeavesTheQueue) {
  submit_failing(3, "http://dead/a");
  branches_->hold("action 01");
  branches_->calls.clear();
  world_->advance(seconds(25));
  ASSERT_EQ(in_flight().queued, 1U);
  for (int i = 0; i < 3; ++i) reset("dead" + std::to_string(i));
  EXPECT_EQ(in_flight().queued, 0U);
  EXPECT_EQ(in_flight().live, 3U);
  while (branches_->waits("action 01")) {
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status("dead" + std::to_string(i)), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, SizeIs(6));  // No row was called twice.
}

TEST_F(EngineTargets, ATransactionThatIsAbortedAsItWakesIsNotQueued) {
  options_.wakes_per_target_max = 1;
  options_.store_answer_max = seconds(60);  // The abort may wait for the request before it.
  start_world();
  submit_failing(1, "http://dead/a");
  branches_->hold("action 01");
  world_->advance(seconds(25));  // The only slot of the target is taken.
  prepare(make_request("t", "tcc", 0));
  BranchRequest branch;
  branch.gid = Gid("t");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"cancel", "http://dead/c"}};
  register_branch(branch);
  // While a request has the turn, the timeout of the transaction comes, and then an abort.
  store_.hold_commits();
  branch.branch_id = "02";
  register_branch(std::move(branch));
  world_->advance(seconds(36));
  const auto aborted = abort(make_request("t", "tcc", 0));
  store_.release_commits();
  world_->run();
  EXPECT_EQ(error_of(aborted), "");
  EXPECT_EQ(in_flight().queued, 0U);
  EXPECT_EQ(status("t"), TransStatus::failed);
}

TEST_F(EngineTargets, AStopLosesNoQueuedTransaction) {
  submit_failing(4, "http://dead/a");
  branches_->hold("action 01");
  world_->advance(seconds(25));
  ASSERT_EQ(in_flight().queued, 2U);
  branches_->release_all();
  world_.reset();
  start_world();
  recover();
  world_->advance(seconds(60));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(status("dead" + std::to_string(i)), TransStatus::succeed);
}

TEST_F(EngineTargets, AQueuedTransactionThatEndsIsNotCalled) {
  submit_failing(3, "http://dead/a");
  branches_->hold("action 01");
  branches_->calls.clear();
  world_->advance(seconds(25));
  ASSERT_EQ(in_flight().queued, 1U);
  for (int i = 0; i < 3; ++i) force_stop("dead" + std::to_string(i));
  while (branches_->waits("action 01")) {
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  EXPECT_THAT(branches_->calls, SizeIs(2));
  EXPECT_EQ(in_flight().queued, 0U);
  EXPECT_EQ(in_flight().live, 0U);
}

}  // namespace
}  // namespace concerto::test
