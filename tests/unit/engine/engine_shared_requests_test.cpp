// Requests about transactions on which another coordinator works, and polls.

#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

class EngineSharedRequests : public SharedFixture {
 protected:
  /// A saga on which `a_` works: its first action waits for its answer.
  void hold_at_a(int steps = 1) {
    a_branches_.hold("action 01");
    EXPECT_EQ(error_of(submit(*a_, make_request("g", "saga", steps))), "");
    EXPECT_TRUE(a_branches_.waits("action 01"));
  }
  void answer(Outcome outcome = Outcome::success, const std::string& text = "") {
    a_branches_.answer("action 01", outcome, text);
    advance(milliseconds(10));
  }
  /// `b_` has taken the transaction from `a_`, and is asked to go on at once.
  void expect_no_call_while_a_may_call() {
    EXPECT_EQ(error_of(reset(*b_)), "");
    const SteadyTime end = clock_.steady_now() + lease_;
    while (clock_.steady_now() < end) {
      EXPECT_THAT(b_branches_.calls, IsEmpty());
      advance(milliseconds(100));
    }
    advance(takeover_);
    EXPECT_THAT(b_branches_.calls, ElementsAre("action 01"));
    EXPECT_EQ(stored().status, TransStatus::succeed);
    EXPECT_EQ(live(*b_), 0U);
  }
};

TEST_F(EngineSharedRequests, MayReachAnyCoordinator) {
  EXPECT_EQ(error_of(prepare(*a_, make_request("g", "tcc", 0))), "");
  EXPECT_EQ(error_of(register_branch(*b_, "01")), "");
  EXPECT_EQ(error_of(register_branch(*a_, "02")), "");
  EXPECT_EQ(error_of(register_branch(*a_, "02")), "storage: UniqueKeyConflict");
  EXPECT_EQ(stored().branches.size(), 4U);
  EXPECT_EQ(error_of(submit_and_wait(*b_, make_request("g", "tcc", 0))), "");
  EXPECT_THAT(b_branches_.calls, testing::UnorderedElementsAre("confirm 01", "confirm 02"));
  EXPECT_EQ(shown(*a_), TransStatus::succeed);
  advance(options_.timeout_to_fail + seconds(1));
  EXPECT_THAT(a_branches_.calls, IsEmpty());
  EXPECT_EQ(alarms(*a_), 0U);
}

TEST_F(EngineSharedRequests, TakeWhatIsPreparedFromACoordinatorThatWorksOnIt) {
  prepare(*a_, make_request("g", "tcc", 0));
  for (const char* branch_id : {"01", "02"}) {
    shared_.set_owner(Gid("g"), "cc-other", shared_.now() + seconds(10));
    EXPECT_EQ(error_of(register_branch(*a_, branch_id)), "");
  }
  shared_.set_owner(Gid("g"), "cc-other", shared_.now() + seconds(10));
  EXPECT_EQ(error_of(abort(*b_, make_request("g", "tcc", 0))), "");
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineSharedRequests, FindABranchThatTheReferenceHasRegisteredDuringALease) {
  prepare(*a_, make_request("g", "tcc", 0));
  shared_.set_owner(Gid("g"), "", shared_.now() + seconds(10));
  // While the reference may be at work, the transaction does not rest between two requests.
  for (const char* branch_id : {"01", "02"}) {
    EXPECT_EQ(error_of(register_branch(*a_, branch_id)), "");
    EXPECT_EQ(owner(), "cc-a");
  }
  EXPECT_EQ(error_of(register_branch(*b_, "03")), "");
  shared_.set_owner(Gid("g"), "cc-a", shared_.now() + lease_);  // The reference does not claim.
  EXPECT_EQ(error_of(submit_and_wait(*a_, make_request("g", "tcc", 0))), "");
  EXPECT_THAT(a_branches_.calls,
              testing::UnorderedElementsAre("confirm 01", "confirm 02", "confirm 03"));
}

TEST_F(EngineSharedRequests, AreMadeAgainIfAnotherCoordinatorComesBetween) {
  prepare(*a_, make_request("g", "tcc", 0));
  EXPECT_EQ(error_of(register_branch(*a_, "01")), "");
  a_->store.hold();
  const auto at_a = register_branch(*a_, "02");
  a_->store.release(1);  // the claim
  a_->world->run();
  EXPECT_EQ(owner(), "cc-a");
  EXPECT_EQ(error_of(register_branch(*b_, "03")), "");
  a_->store.release();
  advance(seconds(1));
  EXPECT_EQ(error_of(at_a), "");
  EXPECT_EQ(stored().branches.size(), 6U);
}

TEST_F(EngineSharedRequests, ASecondSubmitIsAnsweredFromTheStore) {
  hold_at_a();
  const auto second = submit(*b_, make_request("g", "saga", 1));
  EXPECT_EQ(error_of(second), "");
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  EXPECT_EQ(live(*b_), 0U);
  EXPECT_EQ(owner(), "cc-a");
  answer(Outcome::failure, "no");
  EXPECT_EQ(error_of(submit(*b_, make_request("g", "saga", 1))),
            "current status 'failed', cannot submit. FAILURE");
}

TEST_F(EngineSharedRequests, WhyNamesTheCoordinatorThatWorksOnATransaction) {
  const auto why = [](SharedNode& node) {
    const auto found = node.world->start(node.coordinator().inspect(Gid("g")));
    return found->value().value().value();
  };
  hold_at_a();
  EXPECT_EQ(why(*a_).explanation, "calls branch 01 action at a1");
  advance(seconds(1));
  const Inspection at_b = why(*b_);
  EXPECT_EQ(at_b.activity, Activity::running);
  EXPECT_THAT(at_b.explanation, testing::StartsWith("another coordinator, cc-a, works on it; its "
                                                    "lease ends in "));
  answer(Outcome::error, "no");
  EXPECT_EQ(why(*b_).activity, Activity::waiting);
  shared_.set_owner(Gid("g"), "", shared_.now() + seconds(9));
  EXPECT_EQ(why(*b_).explanation,
            "a server of DTM that uses the same store may be working on it, for 9 s at most");
}

TEST_F(EngineSharedRequests, AWaiterHearsOfTheEndAtAnotherCoordinator) {
  hold_at_a();
  const auto second = submit_and_wait(*b_, make_request("g", "saga", 1));
  advance(seconds(20));
  EXPECT_EQ(error_of(second), "(not ended)");
  answer();
  advance(seconds(1));
  EXPECT_EQ(error_of(second), "");
}

TEST_F(EngineSharedRequests, AWaiterHearsOfAPassThatEndsInWaitingAtAnotherCoordinator) {
  hold_at_a();
  const auto second = submit_and_wait(*b_, make_request("g", "saga", 1));
  answer(Outcome::ongoing);
  advance(seconds(1));
  EXPECT_EQ(code_of(second), EngineErrc::result_not_success);
}

TEST_F(EngineSharedRequests, AWaiterAtACoordinatorThatStopsHearsThatAnotherOneGoesOn) {
  hold_at_a();
  const auto waiting = submit_and_wait(*a_, make_request("g", "saga", 1));
  a_->world->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
    co_await coordinator.stop(until);
    co_return true;
  }(a_->coordinator(), clock_.steady_now() + seconds(10)));
  answer(Outcome::ongoing);
  advance(seconds(1));
  EXPECT_EQ(error_of(waiting),
            "the coordinator shut down before gid g ended; another coordinator on the store goes "
            "on with it, or this one after a restart");
}

TEST_F(EngineSharedRequests, AWaiterOfATccHearsThatItGoesOnAtAnotherCoordinator) {
  prepare(*a_, make_request("g", "tcc", 0));
  EXPECT_EQ(error_of(register_branch(*a_, "01")), "");
  a_branches_.hold("confirm 01");
  EXPECT_EQ(error_of(submit(*a_, make_request("g", "tcc", 0))), "");
  const auto second = submit_and_wait(*b_, make_request("g", "tcc", 0));
  a_branches_.answer("confirm 01", Outcome::error, "no");
  advance(seconds(1));
  EXPECT_EQ(code_of(second), EngineErrc::branch_ongoing);
}

TEST_F(EngineSharedRequests, AWaiterOfAnotherCoordinatorsTransactionHasItsDeadline) {
  hold_at_a();
  RequestContext context;
  context.deadline = clock_.steady_now() + seconds(3);
  const auto second = submit_and_wait(*b_, make_request("g", "saga", 1), context);
  advance(milliseconds(2999));
  EXPECT_EQ(error_of(second), "(not ended)");
  advance(milliseconds(1));
  EXPECT_EQ(code_of(second), Errc::deadline_exceeded);
  EXPECT_EQ(live(*b_), 0U);
}

TEST_F(EngineSharedRequests, AForceStopEndsWhatAnotherCoordinatorWorksOn) {
  a_branches_.hold("action 01");
  const auto submitted = submit_and_wait(*a_, make_request("g", "saga", 2));
  EXPECT_EQ(error_of(force_stop(*b_)), "");
  EXPECT_EQ(stored().status, TransStatus::failed);
  EXPECT_EQ(error_of(force_stop(*b_)),
            "global transaction force stop error. status: failed. error: FAILURE");
  answer();
  advance(seconds(2));
  EXPECT_THAT(a_branches_.calls, ElementsAre("action 01"));
  EXPECT_EQ(code_of(submitted), EngineErrc::trans_failed);
  EXPECT_EQ(stored().status, TransStatus::failed);
  EXPECT_EQ(live(*a_), 0U);
}

TEST_F(EngineSharedRequests, ARenewalFindsAForceStopWhileACallRuns) {
  hold_at_a();
  EXPECT_EQ(error_of(force_stop(*b_)), "");
  advance(lease_);
  EXPECT_THAT(a_->world->observer().leases_lost, ElementsAre("g"));
}

TEST_F(EngineSharedRequests, AResetOfWhatAnotherCoordinatorWorksOnChangesNothing) {
  hold_at_a();
  const std::size_t commits = b_->store.commits;
  EXPECT_EQ(error_of(reset(*b_)), "");
  EXPECT_EQ(b_->store.commits, commits);
  EXPECT_EQ(owner(), "cc-a");
}

TEST_F(EngineSharedRequests, AResetWakesWhatAnotherCoordinatorPutToRest) {
  a_branches_.reply("action 01", Outcome::error, "no");
  submit(*a_, make_request("g", "saga", 1));
  EXPECT_EQ(error_of(reset(*b_)), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 01"));
}

TEST_F(EngineSharedRequests, AForceStopThatIsNotStoredDoesNotRepeatACallThatRuns) {
  hold_at_a();
  b_->store.hold();
  force_stop(*b_);
  b_->store.release(1);  // the claim that does not take it
  b_->world->run();
  b_->store.release(1);  // the claim that takes it
  b_->world->run();
  ASSERT_EQ(owner(), "cc-b");
  b_->store.lost_calls = 1;
  b_->store.release();
  while (shared_.has_lease("cc-a", Gid("g"))) {
    advance(milliseconds(100));
    if (shared_.has_lease("cc-a", Gid("g"))) {
      EXPECT_THAT(b_branches_.calls, IsEmpty());
    }
  }
  advance(takeover_);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 01"));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineSharedRequests, AForceStopWhoseClaimIsNotAnsweredDoesNotRepeatACallThatRuns) {
  hold_at_a();
  b_->store.lost_answers = 2;
  EXPECT_EQ(code_of(force_stop(*b_)), EngineErrc::store_busy);
  ASSERT_EQ(owner(), "cc-b");
  expect_no_call_while_a_may_call();
}

TEST_F(EngineSharedRequests, AResetAfterAForceStopThatIsNotStoredDoesNotRepeatACallThatRuns) {
  hold_at_a();
  const std::size_t claims = b_->store.claims;
  b_->store.hold();
  const auto stopped = force_stop(*b_);
  for (int call = 0; call < 2; ++call) {
    b_->store.release(1);
    b_->world->run();
  }
  ASSERT_EQ(b_->store.claims, claims + 2);
  b_->store.lost_calls = 1;
  b_->store.release();
  b_->world->run();
  ASSERT_EQ(code_of(stopped), EngineErrc::store_failed);
  expect_no_call_while_a_may_call();
}

TEST_F(EngineSharedRequests, AStopLetsNobodyRepeatACallThatRuns) {
  hold_at_a();
  b_->store.lost_answers = 2;
  force_stop(*b_);
  EXPECT_EQ(error_of(reset(*b_)), "");
  const auto stopped =
      b_->world->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
        co_await coordinator.stop(until);
        co_return true;
      }(b_->coordinator(), clock_.steady_now() + seconds(10)));
  EXPECT_TRUE(stopped->has_value());
  EXPECT_EQ(owner(), "cc-b");
}

TEST_F(EngineSharedRequests, AnAbortDoesNotRepeatACallThatBeganBetweenItsTwoClaims) {
  prepare(*a_, make_request("g", "tcc", 0));
  register_branch(*a_, "01");
  shared_.set_owner(Gid("g"), "cc-other", shared_.now() + seconds(10));
  b_->store.hold();
  const auto at_b = abort(*b_, make_request("g", "tcc", 0));
  b_->store.release(1);  // the claim that does not take it
  b_->world->run();
  a_branches_.hold("cancel 01");
  EXPECT_EQ(error_of(abort(*a_, make_request("g", "tcc", 0))), "");
  b_->store.release();
  a_->is_paused = true;  // Its call runs.
  while (shared_.has_lease("cc-a", Gid("g"))) {
    EXPECT_THAT(b_branches_.calls, IsEmpty());
    advance(milliseconds(100));
  }
  EXPECT_EQ(error_of(at_b), "");
  advance(takeover_);
  EXPECT_EQ(stored().status, TransStatus::failed);
}

TEST_F(EngineSharedRequests, ASubmitOfAPreparedOneCostsAClaimAndAChange) {
  prepare(*a_, make_request("g", "tcc", 0));
  EXPECT_EQ(error_of(submit_and_wait(*b_, make_request("g", "tcc", 0))), "");
  EXPECT_EQ(b_->store.claims, 1U);
  EXPECT_EQ(b_->store.commits, 2U);  // submitted, succeed
}

TEST_F(EngineSharedRequests, AQueryShowsWhatAnotherCoordinatorHasStopped) {
  hold_at_a();
  EXPECT_EQ(shown(*a_), TransStatus::submitted);
  EXPECT_EQ(error_of(force_stop(*b_)), "");
  EXPECT_EQ(shown(*a_), TransStatus::failed);
}

TEST_F(EngineSharedRequests, AQueryAfterAPauseShowsWhatTheStoreHas) {
  hold_at_a();
  pause(*a_, takeover_);
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(shown(*a_), TransStatus::succeed);
}

TEST_F(EngineSharedRequests, AWorkflowEndsAtAnyCoordinator) {
  auto request = make_request("g", "workflow", 0);
  request.query_prepared = "query";
  request.custom_data = R"({"name":"w","data":""})";
  const auto prepared = a_->world->start(a_->coordinator().prepare_workflow(std::move(request)));
  ASSERT_TRUE(prepared->value()) << prepared->value().error().detail;
  auto end = make_request("g", "workflow", 0);
  end.extra = {{"status", "succeed"}};
  EXPECT_EQ(error_of(submit(*b_, std::move(end))), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineSharedRequests, ManyAreResetForAllCoordinators) {
  a_branches_.reply("action 01", Outcome::error, "no");
  submit(*a_, make_request("g", "saga", 1));
  kill(*a_);
  advance(milliseconds(10));
  auto request = b_->coordinator().reset_cron_time(seconds(5), 10);
  const auto reset = b_->world->start(std::move(request));
  ASSERT_TRUE(reset->value());
  EXPECT_EQ((*reset)->value().count, 1U);
  EXPECT_FALSE((*reset)->value().has_remaining);
  advance(milliseconds(10));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineSharedRequests, TheBacklogIsThatOfAllCoordinators) {
  hold_at_a();
  const auto backlog = b_->world->start(b_->coordinator().backlog());
  EXPECT_EQ((*backlog)->value().by_type[static_cast<int>(TransType::saga)], 1U);
}

TEST_F(EngineSharedRequests, PollsAgainAtOnceWhileMoreIsDue) {
  options_.wakes_in_progress_max = 3;
  kill(*b_);
  const auto old = std::move(b_);
  for (int i = 0; i < 20; ++i) {
    a_branches_.reply("action 01", Outcome::ongoing);
    submit(*a_, make_request("g" + std::to_string(i), "saga", 1));
  }
  kill(*a_);
  clock_.advance(options_.retry_interval + seconds(2));
  b_ = start_node("c", b_branches_);
  advance(milliseconds(200));
  EXPECT_EQ(b_branches_.calls.size(), 20U);
  EXPECT_GE(b_->store.polls, 7U);
}

TEST_F(EngineSharedRequests, APollWaitsForABusyStore) {
  a_branches_.reply("action 01", Outcome::ongoing);
  submit(*a_, make_request("g", "saga", 1));
  kill(*a_);
  b_->store.busy_calls = SharedStore::always;
  advance(options_.retry_interval + seconds(10));
  b_->store.busy_calls = 0;
  advance(seconds(5));
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
