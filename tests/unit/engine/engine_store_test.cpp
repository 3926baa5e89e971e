// Transactions whose store is busy, or loses a change or the answer to a change.

#include "engine_fixture.hpp"
#include "scripted_store.hpp"

namespace concerto::test {
namespace {

constexpr std::size_t always = ScriptedStore::always;

class EngineStore : public EngineFixture {
 protected:
  void SetUp() override {
    branches_ = std::make_unique<ScriptedBranches>();
    world_ = std::make_unique<CoordinatorWorld>(scripted_, clock_, *branches_, options_);
  }

  /// A saga whose only action waits for `answer`.
  void submit_and_hold(const std::string& gid) {
    branches_->hold("action 01");
    ASSERT_EQ(error_of(submit(make_request(gid, "saga", 1))), "");
    ASSERT_TRUE(branches_->waits("action 01"));
  }
  void answer() {
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  Pending<bool> stop() {
    return world_->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
      co_await coordinator.stop(until);
      co_return true;
    }(world_->coordinator(), clock_.steady_now() + seconds(10)));
  }
  std::optional<Transaction> stored(const std::string& gid) {
    return world_->start(store_.load(Gid(gid)))->value().value();
  }

  ScriptedStore scripted_{store_};
};

TEST_F(EngineStore, AChangeThatTheStoreIsBusyForIsTriedAgain) {
  submit_and_hold("g");
  scripted_.busy_commits = 3;
  scripted_.hides_trouble = true;
  answer();
  EXPECT_EQ(stored("g")->status, TransStatus::submitted);
  world_->advance(seconds(1));
  EXPECT_EQ(stored("g")->status, TransStatus::succeed);
  EXPECT_EQ(stored("g")->branches[1].status, BranchStatus::succeed);
  EXPECT_EQ(scripted_.commits, 5U);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_THAT(world_->observer().warnings,
              ElementsAre("g: change not stored yet: the server is away"));
}

TEST_F(EngineStore, AStoreThatTellsItsTroubleNeedsNoFurtherWarnings) {
  submit_and_hold("g");
  scripted_.busy_commits = ScriptedStore::always;
  answer();
  world_->advance(seconds(1));
  EXPECT_THAT(world_->observer().warnings, ElementsAre());
  scripted_.busy_commits = 0;
  world_->advance(seconds(1));
  EXPECT_EQ(stored("g")->status, TransStatus::succeed);
}

TEST_F(EngineStore, ARequestWaitsForABusyStore) {
  prepare(make_request("g", "msg", 1));
  scripted_.busy_commits = 2;
  const auto submitted = submit(make_request("g", "msg", 1));
  EXPECT_EQ(error_of(submitted), "(not ended)");
  world_->advance(seconds(1));
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ANewTransactionWaitsOnlyAMomentForABusyStore) {
  scripted_.busy_commits = 1;
  const auto first = submit(make_request("g", "saga", 1));
  world_->advance(milliseconds(100));
  EXPECT_EQ(error_of(first), "");
  scripted_.busy_commits = always;
  const auto second = submit(make_request("h", "saga", 1));
  world_->advance(seconds(1));
  EXPECT_EQ(code_of(second), EngineErrc::store_busy);
  EXPECT_EQ(stored("h"), std::nullopt);
  scripted_.busy_commits = 0;
  EXPECT_EQ(error_of(submit(make_request("h", "saga", 1))), "");
}

TEST_F(EngineStore, ANewTransactionThatIsRefusedLeavesNoLineWhileTheStoreIsAway) {
  scripted_.busy_commits = always;
  for (int i = 0; i < 20; ++i) {
    const auto refused = submit(make_request("g", "saga", 1));
    world_->advance(seconds(1));
    EXPECT_EQ(code_of(refused), EngineErrc::store_busy);
  }
  scripted_.busy_commits = 0;
  world_->advance(seconds(20));
  EXPECT_THAT(world_->observer().warnings, IsEmpty()) << "the store's own line tells";
}

TEST_F(EngineStore, ARefusalOfAStoreThatServesLeavesALineWithItsReasonAndNotOnePerRequest) {
  for (int i = 0; i < 5; ++i) {
    scripted_.lost_commits = 1;
    EXPECT_EQ(code_of(submit(make_request("g", "saga", 1))), EngineErrc::store_failed);
  }
  scripted_.busy_loads = 1;
  const auto unread = world_->start(world_->coordinator().query(Gid("g")));
  EXPECT_EQ(code_of(unread), EngineErrc::store_busy);
  ASSERT_THAT(world_->observer().warnings,
              ElementsAre("g: the store refuses a request: the answer is lost"));
  world_->advance(seconds(11));
  EXPECT_EQ(world_->observer().warnings.back(),
            ": 5 more lines about requests that the store refuses were left out");
}

TEST_F(EngineStore, ARefusedRequestForATopicHasALineToo) {
  scripted_.busy_kvs = 1;
  const auto refused = world_->start(world_->coordinator().subscribe("topic", "http://s/url", ""));
  EXPECT_EQ(code_of(refused), EngineErrc::store_busy);
  const std::vector<std::string> line{": the store refuses a request: the server is away"};
  EXPECT_EQ(world_->observer().warnings, line);
  world_->advance(seconds(11));
  scripted_.busy_kvs = 1;
  const auto found = world_->start(world_->coordinator().find_kv("topics", "topic"));
  EXPECT_EQ(code_of(found), EngineErrc::store_busy);
  EXPECT_EQ(world_->observer().warnings.size(), 2U);
}

TEST_F(EngineStore, ARequestIsRefusedIfTheStoreStaysBusyAndMayBeRepeated) {
  prepare(make_request("g", "msg", 1));
  scripted_.busy_commits = always;
  const auto refused = submit(make_request("g", "msg", 1));
  world_->advance(options_.store_busy_max + seconds(1));
  EXPECT_EQ(code_of(refused), EngineErrc::store_busy);
  EXPECT_EQ(status("g"), TransStatus::prepared);
  scripted_.busy_commits = 0;
  EXPECT_EQ(error_of(submit(make_request("g", "msg", 1))), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ATransactionWaitsWhileTheStoreStaysBusyAndGoesOnAfterwards) {
  branches_->hold("action 01");
  const auto waiting = submit_and_wait(make_request("g", "saga", 1));
  scripted_.busy_commits = always;
  answer();
  branches_->release_all();
  world_->advance(options_.store_busy_max + seconds(1));
  // The submit was stored, so its caller must not be told that nothing happened.
  EXPECT_TRUE(code_of(waiting) == Condition::outcome_unknown);
  EXPECT_THAT(error_of(waiting), HasSubstr("gid g goes on"));
  EXPECT_EQ(stored("g")->status, TransStatus::submitted);
  scripted_.busy_commits = 0;
  world_->advance(options_.retry_interval + seconds(2));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ResultsThatABusyStoreDidNotTakeAreCarriedByTheNextChange) {
  branches_->hold("action 02");
  ASSERT_EQ(error_of(submit(make_request("g", "msg", 2))), "");
  scripted_.busy_commits = always;
  world_->advance(options_.store_busy_max + seconds(5));
  EXPECT_EQ(stored("g")->branches[0].status, BranchStatus::prepared);
  scripted_.busy_commits = 0;
  branches_->answer("action 02", Outcome::success);
  world_->advance(seconds(2));
  const Transaction ended = stored("g").value();
  EXPECT_EQ(ended.status, TransStatus::succeed);
  EXPECT_EQ(ended.branches[0].status, BranchStatus::succeed);
  EXPECT_EQ(ended.branches[1].status, BranchStatus::succeed);
}

TEST_F(EngineStore, ATimeoutIsNotLostWhileTheStoreIsBusy) {
  prepare(make_request("g", "msg", 1));
  scripted_.busy_commits = always;
  world_->advance(options_.timeout_to_fail + options_.store_busy_max + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::prepared);
  scripted_.busy_commits = 0;
  world_->advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ATransactionThatCannotBeReadYetIsReadLater) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 1));
  scripted_.busy_loads = 1;
  world_->advance(seconds(60));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, AStopDoesNotWaitForABusyStore) {
  submit_and_hold("g");
  scripted_.busy_commits = always;
  answer();
  world_->advance(milliseconds(10));
  const auto stopped = stop();
  EXPECT_TRUE(stopped->has_value());
}

TEST_F(EngineStore, RecoveryWaitsForABusyStore) {
  submit_and_hold("g");
  CoordinatorWorld::crash(std::move(world_));
  store_.crash();
  SetUp();
  scripted_.busy_scans = 2;
  const auto recovered = world_->start(world_->coordinator().recover());
  EXPECT_EQ(error_of(recovered), "(not ended)");
  world_->advance(seconds(3));
  EXPECT_EQ(error_of(recovered), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, AStopEndsARecoveryThatWaitsForABusyStore) {
  scripted_.busy_scans = always;
  const auto recovered = world_->start(world_->coordinator().recover());
  world_->advance(seconds(5));
  EXPECT_EQ(error_of(recovered), "(not ended)");
  EXPECT_TRUE(stop()->has_value());
  world_->advance(seconds(2));
  EXPECT_EQ(code_of(recovered), EngineErrc::store_busy);
}

TEST_F(EngineStore, ANewTransactionIsFoundLaterIfTheStoresAnswerIsLost) {
  scripted_.lost_answers = 1;
  EXPECT_EQ(code_of(submit(make_request("g", "saga", 1))), EngineErrc::store_failed);
  EXPECT_THAT(branches_->calls, IsEmpty());
  world_->advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
}

TEST_F(EngineStore, ANewTransactionHasItsTimeoutIfTheStoresAnswerIsLost) {
  scripted_.lost_answers = 1;
  prepare(make_request("g", "msg", 1));
  world_->advance(options_.timeout_to_fail + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ATimeoutWhoseDecisionWasLostComesAgainAfterAReset) {
  prepare(make_request("g", "msg", 1));
  scripted_.lost_commits = 1;
  world_->advance(options_.timeout_to_fail + seconds(1));
  EXPECT_EQ(scripted_.lost_commits, 0U);
  EXPECT_EQ(status("g"), TransStatus::prepared);
  world_->start(world_->coordinator().reset_next_cron_time(Gid("g")));
  world_->advance(seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, ANewTransactionThatTheStoreLosesIsForgotten) {
  scripted_.lost_commits = 1;
  EXPECT_EQ(code_of(submit(make_request("g", "saga", 1))), EngineErrc::store_failed);
  world_->advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(stored("g"), std::nullopt);
  EXPECT_EQ(world_->coordinator().in_flight().live, 0U);
  EXPECT_EQ(world_->coordinator().in_flight().alarms, 0U);
  EXPECT_THAT(branches_->calls, IsEmpty());
}

TEST_F(EngineStore, AnEndIsReadAgainIfTheStoresAnswerIsLost) {
  submit_and_hold("g");
  scripted_.lost_answers = 1;
  answer();
  world_->advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_EQ(world_->coordinator().in_flight().alarms, 0U);
}

TEST_F(EngineStore, AResultThatTheStoreLosesIsStoredBeforeACallThatBuildsOnIt) {
  for (const char* action : {"action 01", "action 02", "action 03"}) branches_->hold(action);
  auto request = make_request("g", "saga", 3);
  request.custom_data = R"({"concurrent":true,"orders":{"2":[0,1]}})";
  ASSERT_EQ(error_of(submit(request)), "");
  branches_->answer("action 01", Outcome::success);
  world_->run();
  scripted_.lost_commits = 1;
  world_->advance(options_.progress_delay + milliseconds(5));
  EXPECT_EQ(scripted_.lost_commits, 0U);
  branches_->answer("action 02", Outcome::success);
  world_->run();
  ASSERT_TRUE(branches_->waits("action 03"));
  EXPECT_EQ(stored("g")->branches[1].status, BranchStatus::succeed);
  EXPECT_EQ(stored("g")->branches[3].status, BranchStatus::succeed);
  branches_->answer("action 03", Outcome::success);
  world_->advance(seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineStore, NoCallBuildsOnAResultThatARequestsLostChangeCarried) {
  branches_->hold("action 01");
  ASSERT_EQ(error_of(submit(make_request("g", "saga", 2))), "");
  scripted_.busy_commits = 1;
  const auto reset = world_->start(world_->coordinator().reset_next_cron_time(Gid("g")));
  answer();  // The request has the turn, and its next try carries this result.
  scripted_.lost_commits = 1;
  world_->advance(seconds(1));
  EXPECT_EQ(code_of(reset), EngineErrc::store_failed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01"));
  EXPECT_EQ(stored("g")->branches[1].status, BranchStatus::prepared);
  world_->advance(options_.retry_interval + seconds(1));
  answer();
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 01", "action 02"));
}

TEST_F(EngineStore, ASubmitGoesOnIfTheStoresAnswerIsLost) {
  prepare(make_request("g", "msg", 1));
  scripted_.lost_answers = 1;
  EXPECT_EQ(code_of(submit(make_request("g", "msg", 1))), EngineErrc::store_failed);
  world_->advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
