// Leases of transactions where several coordinators share a store.

#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

class EngineLeases : public SharedFixture {
 protected:
  /// A transaction at `a_` whose first action waits for its answer.
  Pending<Result<>> submit_and_hold(const char* type = "saga", int steps = 1) {
    a_branches_.hold("action 01");
    auto submitted = submit_and_wait(*a_, make_request("g", type, steps));
    EXPECT_TRUE(a_branches_.waits("action 01"));
    return submitted;
  }
  void answer() {
    a_branches_.answer("action 01", Outcome::success);
    a_->world->run();
  }
};

TEST_F(EngineLeases, AShortTransactionCostsThreeCallsOfTheStore) {
  EXPECT_EQ(error_of(submit_and_wait(*a_, make_request("g", "saga", 2))), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(a_->store.commits, 3U);
  EXPECT_EQ(a_->store.claims + a_->store.renewals, 0U);
  EXPECT_THAT(a_->store.let_go_gids, IsEmpty());
  EXPECT_EQ(live(*a_), 0U);
}

TEST_F(EngineLeases, AreRenewedWhileACallRuns) {
  const auto submitted = submit_and_hold();
  advance(10 * lease_);
  EXPECT_EQ(owner(), "cc-a");
  EXPECT_GE(a_->store.renewals, 10U);
  answer();
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  EXPECT_THAT(a_->world->observer().leases_lost, IsEmpty());
}

TEST_F(EngineLeases, AreRenewedBeforeACallBeginsThatWouldOutliveThem) {
  submit_and_hold("msg", 2);
  b_->is_paused = true;
  pause(*a_, lease_ - milliseconds(500));
  a_branches_.hold("action 02");
  a_->store.hold();
  answer();
  EXPECT_FALSE(a_branches_.waits("action 02"));
  EXPECT_EQ(a_->store.renewals, 1U);
  a_->store.release();
  a_->world->run();
  EXPECT_TRUE(a_branches_.waits("action 02"));
  EXPECT_TRUE(shared_.has_lease("cc-a", Gid("g")));
}

TEST_F(EngineLeases, AreRenewedOnceMoreIfTheAnswerToARenewalCameLate) {
  submit_and_hold("msg", 2);
  b_->is_paused = true;
  pause(*a_, lease_ - milliseconds(500));
  a_->store.hold();
  answer();
  EXPECT_EQ(a_->store.renewals, 1U);
  a_->store.release();  // The renewal has its effect. Its answer waits until the pause is over.
  b_->is_paused = false;
  b_branches_.hold("action 01");
  pause(*a_, takeover_);
  ASSERT_EQ(owner(), "cc-b");
  advance(milliseconds(100));
  EXPECT_THAT(a_branches_.calls, ElementsAre("action 01"));
  EXPECT_THAT(a_->world->observer().leases_lost, ElementsAre("g"));
}

TEST_F(EngineLeases, OfAPausedCoordinatorArePassedOnAndItNoticesBeforeItWrites) {
  const auto submitted = submit_and_hold("saga", 2);
  b_branches_.hold("action 02");
  pause(*a_, takeover_);
  EXPECT_EQ(owner(), "cc-b");
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 01", "action 02"));
  answer();
  advance(seconds(1));
  EXPECT_THAT(a_branches_.calls, ElementsAre("action 01"));
  EXPECT_THAT(a_->world->observer().leases_lost, ElementsAre("g"));
  EXPECT_THAT(a_->world->observer().calls_past_lease, ElementsAre("action 01"));
  EXPECT_EQ(error_of(submitted), "(not ended)");
  b_branches_.answer("action 02", Outcome::success);
  advance(seconds(2));
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(live(*a_), 0U);
  EXPECT_EQ(alarms(*a_), 0U);
  EXPECT_EQ(a_->coordinator().in_flight().unfinished[static_cast<int>(TransType::saga)], 0U);
}

TEST_F(EngineLeases, AreNotRenewedAfterTheirEndIfSomebodyElseHasChangedTheTransaction) {
  submit_and_hold("saga", 2);
  b_branches_.reply("action 01", Outcome::failure, "no");
  b_branches_.hold("compensate 01");
  pause(*a_, takeover_);
  ASSERT_EQ(stored().status, TransStatus::aborting);
  kill(*b_);
  shared_.set_owner(Gid("g"), "cc-b", shared_.now());
  a_->store.hold();
  advance(seconds(5));  // A poll is on its way, which claims the transaction.
  answer();             // After the poll the driver asks for its lease.
  a_->store.release();
  a_->world->run();
  EXPECT_THAT(a_branches_.calls, testing::Not(testing::Contains("action 02")));
  EXPECT_THAT(a_->world->observer().leases_lost, ElementsAre("g"));
  advance(takeover_);
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineLeases, AChangeThatArrivesAfterTheLeaseHasNoEffect) {
  const auto submitted = submit_and_hold();
  a_->store.hold();
  answer();
  b_branches_.reply("action 01", Outcome::failure);
  b_branches_.hold("compensate 01");
  pause(*a_, takeover_);
  EXPECT_EQ(stored().status, TransStatus::aborting);
  a_->store.release();
  advance(seconds(1));
  EXPECT_EQ(stored().status, TransStatus::aborting);
  EXPECT_EQ(error_of(submitted), "(not ended)");
  b_branches_.answer("compensate 01", Outcome::success);
  advance(seconds(2));
  EXPECT_THAT(error_of(submitted), HasSubstr("FAILURE"));
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineLeases, OfAKilledCoordinatorArePassedOn) {
  submit_and_hold();
  kill(*a_);
  advance(takeover_);
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 01"));
}

TEST_F(EngineLeases, AreKeptIfNobodyElseTookTheTransaction) {
  const auto submitted = submit_and_hold("saga", 2);
  b_->is_paused = true;
  pause(*a_, 2 * lease_);
  answer();
  advance(seconds(1));
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_THAT(a_branches_.calls, ElementsAre("action 01", "action 02"));
}

TEST_F(EngineLeases, AStoreThatIsAwayForLongerThanTheLeaseLosesNothing) {
  const auto submitted = submit_and_hold();
  a_->store.busy_calls = b_->store.busy_calls = SharedStore::always;
  advance(2 * lease_);
  a_->store.busy_calls = b_->store.busy_calls = 0;
  answer();
  advance(2 * takeover_);
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(error_of(submitted), "");
}

TEST_F(EngineLeases, WhatAStoreThatServesDoesNotDoForThemAndForPollsIsTold) {
  submit_and_hold();
  a_->store.busy_calls = SharedStore::always;
  a_->store.hides_trouble = true;
  advance(seconds(9));
  a_->store.busy_calls = 0;
  EXPECT_THAT(a_->world->observer().warnings,
              testing::UnorderedElementsAre(
                  testing::StartsWith(": due transactions cannot be looked for: "),
                  testing::StartsWith(": leases cannot be renewed: ")));
  answer();
}

TEST_F(EngineLeases, EndWithAPassThatWaitsAndTheAlarmIsPrecise) {
  a_branches_.reply("action 01", Outcome::ongoing);
  submit(*a_, make_request("g", "saga", 1));
  EXPECT_EQ(owner(), "cc-rest");
  EXPECT_EQ(live(*a_), 0U);
  EXPECT_EQ(alarms(*a_), 1U);
  advance(options_.retry_interval - milliseconds(1));
  EXPECT_EQ(a_branches_.calls.size(), 1U);
  advance(milliseconds(1));
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(a_branches_.calls.size(), 2U);
  EXPECT_EQ(a_->store.claims, 1U);
  EXPECT_THAT(b_branches_.calls, IsEmpty());
}

TEST_F(EngineLeases, WhatAKilledCoordinatorPutToRestIsWokenByAnother) {
  a_branches_.reply("action 01", Outcome::ongoing);
  submit(*a_, make_request("g", "saga", 1));
  kill(*a_);
  advance(options_.retry_interval - seconds(1));
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  advance(seconds(6));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineLeases, AnAlarmForgetsWhatAnotherCoordinatorHasEnded) {
  a_branches_.reply("action 01", Outcome::ongoing);
  submit(*a_, make_request("g", "saga", 1));
  EXPECT_EQ(error_of(force_stop(*b_)), "");
  advance(options_.retry_interval + seconds(1));
  EXPECT_EQ(a_branches_.calls.size(), 1U);
  EXPECT_EQ(alarms(*a_), 0U);
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineLeases, AnAlarmLeavesAloneWhatAnotherCoordinatorPutToRestForLonger) {
  a_branches_.reply("action 01", Outcome::ongoing);
  submit(*a_, make_request("g", "saga", 1));
  advance(seconds(5));
  b_branches_.reply("action 01", Outcome::error, "no");
  EXPECT_EQ(error_of(reset(*b_)), "");
  EXPECT_EQ(b_branches_.calls.size(), 1U);
  const WallTime until = stored().next_cron_time;
  advance(seconds(7));
  EXPECT_EQ(a_branches_.calls.size(), 1U);
  EXPECT_EQ(owner(), "cc-rest");
  EXPECT_LE(stored().next_cron_time - until, seconds(1));
  EXPECT_EQ(alarms(*a_), 0U);
}

TEST_F(EngineLeases, AStopLetsOthersGoOnAtOnce) {
  submit_and_hold("saga", 2);
  bool stopped = false;
  a_->world->start([](Coordinator& coordinator, SteadyTime until, bool& done) -> Task<bool> {
    co_await coordinator.stop(until);
    co_return done = true;
  }(a_->coordinator(), clock_.steady_now() + seconds(10), stopped));
  answer();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(owner(), "cc-rest");
  advance(seconds(5));
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 02"));
}

TEST_F(EngineLeases, APreparedOneRestsUntilItsTimeoutAndAnyoneRollsItBack) {
  EXPECT_EQ(error_of(prepare(*a_, make_request("g", "tcc", 0))), "");
  EXPECT_EQ(error_of(register_branch(*a_, "01")), "");
  EXPECT_EQ(owner(), "cc-rest");
  kill(*a_);
  advance(options_.timeout_to_fail - seconds(1));
  EXPECT_EQ(stored().status, TransStatus::prepared);
  EXPECT_EQ(b_->store.claims, 0U);
  advance(seconds(6));
  EXPECT_EQ(stored().status, TransStatus::failed);
  EXPECT_THAT(b_branches_.calls, ElementsAre("cancel 01"));
}

TEST_F(EngineLeases, WhatTheReferenceMadeDueBeforeItsTimeoutIsNotRolledBack) {
  prepare(*a_, make_request("g", "tcc", 0));
  kill(*a_);
  shared_.set_owner(Gid("g"), "", shared_.now() + seconds(10));
  advance(seconds(20));
  EXPECT_EQ(stored().status, TransStatus::prepared);
  EXPECT_EQ(owner(), "cc-rest");
  advance(seconds(17));
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineLeases, ADelayIsKeptWhenAnotherCoordinatorTakesOver) {
  auto request = make_request("g", "msg", 1);
  request.custom_data = R"({"delay":60})";
  EXPECT_EQ(error_of(submit(*a_, std::move(request))), "");
  kill(*a_);
  advance(seconds(30));
  EXPECT_EQ(error_of(submit(*b_, make_request("g", "msg", 1))), "");
  advance(seconds(28));
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  advance(seconds(8));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineLeases, WhatARequestOnlyLooksAtRestsAgain) {
  prepare(*a_, make_request("g", "msg", 1));
  const WallTime until = stored().next_cron_time;
  EXPECT_EQ(error_of(prepare(*b_, make_request("g", "msg", 1))), "");
  b_->world->run();
  EXPECT_THAT(b_->store.let_go_gids, ElementsAre("g"));
  EXPECT_EQ(owner(), "cc-rest");
  EXPECT_EQ(stored().next_cron_time, until);
  EXPECT_EQ(live(*b_), 0U);
}

TEST_F(EngineLeases, RunOutIfTheCallThatLetsGoIsLost) {
  prepare(*a_, make_request("g", "msg", 1));
  b_->store.hold();
  const auto again = prepare(*b_, make_request("g", "msg", 1));
  for (int call = 0; call < 2; ++call) {  // the change that finds the transaction, the claim
    b_->store.release(1);
    b_->world->run();
  }
  ASSERT_EQ(owner(), "cc-b");
  b_->store.lost_calls = 1;
  b_->store.release();
  b_->world->run();
  EXPECT_EQ(error_of(again), "");
  EXPECT_THAT(b_->store.let_go_gids, ElementsAre("g"));
  EXPECT_EQ(owner(), "cc-b");
  kill(*b_);
  advance(takeover_);
  EXPECT_EQ(owner(), "cc-rest");
  EXPECT_EQ(stored().status, TransStatus::prepared);
}

TEST_F(EngineLeases, EndWithAChangeThatLetsGoAlsoIfItsOutcomeIsUnknown) {
  prepare(*a_, make_request("g", "tcc", 0));
  kill(*a_);
  shared_.set_owner(Gid("g"), "", shared_.now());  // The reference was at work.
  b_->store.hold();
  advance(seconds(4));
  b_->store.release(1);  // the poll
  b_->world->run();
  ASSERT_EQ(owner(), "cc-b");
  const auto registered = register_branch(*b_, "01");
  b_->store.lost_answers = 1;
  b_->store.release(1);  // the pass that waits for the timeout
  ASSERT_EQ(owner(), "cc-rest");
  b_->store.release();
  b_->world->run();
  EXPECT_EQ(error_of(registered), "");
  EXPECT_EQ(b_->store.claims, 1U);
  EXPECT_THAT(b_->world->observer().leases_lost, IsEmpty());
}

TEST_F(EngineLeases, AStopLetsGoOfWhatTheStoreIsTooBusyFor) {
  submit_and_hold("saga", 2);
  bool stopped = false;
  a_->world->start([](Coordinator& coordinator, SteadyTime until, bool& done) -> Task<bool> {
    co_await coordinator.stop(until);
    co_return done = true;
  }(a_->coordinator(), clock_.steady_now() + seconds(10), stopped));
  a_->store.busy_calls = 1;
  answer();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(owner(), "cc-rest");
  advance(seconds(5));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

/// Several transactions whose target has room for one call at a time.
TEST_F(EngineLeases, OfWhatIsQueuedForATargetEndAndTheQueueWakesIt) {
  for (const char* gid : {"g", "g2", "g3"}) {
    a_branches_.reply("action 01", Outcome::error, "no");
    submit(*a_, make_request(gid, "saga", 1));
  }
  kill(*a_);
  kill(*b_);
  options_.wakes_per_target_max = 1;
  b_branches_.hold("action 01");
  const auto old = std::move(b_);
  b_ = start_node("c", b_branches_);
  advance(seconds(30));
  EXPECT_EQ(b_branches_.waiting("action 01"), 1U);
  EXPECT_EQ(b_->coordinator().in_flight().queued, 2U);
  b_->store.let_go_gids.clear();
  advance(seconds(600));
  // Each rests for as long as it has waited: about 50 s, 100 s, 200 s, 400 s.
  EXPECT_LE(b_->store.let_go_gids.size(), 2U * 5U);
  EXPECT_EQ(b_->coordinator().in_flight().queued, 2U);
  for (const std::size_t calls : {2U, 3U}) {
    b_branches_.answer("action 01", Outcome::success);
    advance(milliseconds(100));
    EXPECT_EQ(b_branches_.calls.size(), calls);
  }
  b_branches_.answer("action 01", Outcome::success);
  advance(milliseconds(100));
  EXPECT_EQ(live(*b_), 0U);
  EXPECT_EQ(alarms(*b_), 0U);
  for (const char* gid : {"g", "g2", "g3"}) EXPECT_EQ(shared_.owner(Gid(gid)), "");
}

TEST_F(EngineLeases, AnUnknownOutcomeIsSettledByAClaim) {
  submit_and_hold();
  a_->store.lost_answers = 1;
  answer();
  advance(options_.retry_interval + seconds(2));
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(a_branches_.calls, ElementsAre("action 01"));
  EXPECT_EQ(alarms(*a_), 0U);
}

}  // namespace
}  // namespace concerto::test
