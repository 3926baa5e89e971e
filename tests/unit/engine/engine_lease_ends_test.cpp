// What happens around the end of a lease: changes that are late, claims by this coordinator's own
// poll, calls that last longer than a stop may.

#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

class EngineLeaseEnds : public SharedFixture {
 protected:
  /// A submit of a prepared tcc at `a_` has claimed it, and the claim's answer has not come.
  Pending<Result<>> submit_and_claim() {
    prepare(*a_, make_request("g", "tcc", 0));
    a_->store.hold();
    auto submitted = submit(*a_, make_request("g", "tcc", 0));
    a_->store.release(1);
    EXPECT_EQ(owner(), "cc-a");
    return submitted;
  }
  /// `b_` adds a branch that `a_` does not know. Then a poll of `a_` claims the transaction.
  void add_branch_behind_its_back() {
    EXPECT_EQ(error_of(register_branch(*b_, "01")), "");
    kill(*b_);
    shared_.set_owner(Gid("g"), "cc-a", shared_.now() + lease_);
  }
  Pending<bool> stop(SharedNode& node, std::chrono::nanoseconds grace) {
    return node.world->start([](Coordinator& coordinator, SteadyTime until) -> Task<bool> {
      co_await coordinator.stop(until);
      co_return true;
    }(node.coordinator(), clock_.steady_now() + grace));
  }
};

TEST_F(EngineLeaseEnds, ARequestThatStoodStillSinceItsClaimLooksAgainBeforeItsChange) {
  const auto submitted = submit_and_claim();
  a_->is_paused = true;
  add_branch_behind_its_back();
  advance(lease_);
  a_->store.release();
  a_->is_paused = false;
  advance(seconds(3));
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(a_branches_.calls, ElementsAre("confirm 01"));
}

TEST_F(EngineLeaseEnds, AChangeThatIsStoredAfterTheLeaseDoesNotRenewIt) {
  submit_and_claim();
  pause(*a_, lease_ - seconds(5));
  a_->world->run();  // The change is on its way now.
  ASSERT_EQ(a_->store.held(), 1U);
  add_branch_behind_its_back();
  pause(*a_, seconds(6));
  a_->store.release();
  advance(seconds(1));
  EXPECT_EQ(stored().status, TransStatus::submitted);
  advance(takeover_);
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(a_branches_.calls, ElementsAre("confirm 01"));
}

TEST_F(EngineLeaseEnds, NothingIsClaimedWhileAChangeIsLate) {
  a_branches_.hold("action 01");
  const auto submitted = submit_and_wait(*a_, make_request("g", "saga", 1));
  b_->is_paused = true;
  a_->store.hold();
  a_branches_.answer("action 01", Outcome::success);
  a_->world->run();
  ASSERT_EQ(a_->store.held(), 1U);
  const std::size_t polls = a_->store.polls;
  pause(*a_, takeover_);
  advance(seconds(10));
  EXPECT_EQ(a_->store.polls, polls);
  a_->store.release();
  advance(seconds(5));
  EXPECT_GT(a_->store.polls, polls);
  EXPECT_EQ(error_of(submitted), "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
}

TEST_F(EngineLeaseEnds, WhatAnOldCallKeepsFromBeingReadIsLeftToOthers) {
  a_branches_.hold("action 01");
  b_branches_.hold("action 01");
  submit(*a_, make_request("g", "saga", 1));
  pause(*a_, takeover_);
  advance(seconds(6));
  ASSERT_EQ(owner(), "cc-b");
  EXPECT_THAT(a_->world->observer().leases_lost, ElementsAre("g"));
  kill(*b_);
  shared_.set_owner(Gid("g"), "cc-b", shared_.now());
  advance(seconds(4));
  EXPECT_EQ(owner(), "cc-rest");
  a_branches_.answer("action 01", Outcome::success);
  advance(seconds(4));
  a_branches_.answer("action 01", Outcome::success);
  a_->world->run();
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_EQ(a_branches_.calls.size(), 2U);
}

TEST_F(EngineLeaseEnds, WhatWasTakenTwiceLeavesMemoryWhenTheOtherMakesNoCallsAnyMore) {
  prepare(*a_, make_request("g", "tcc", 0));
  for (const char* branch : {"01", "02"}) {
    shared_.set_owner(Gid("g"), "cc-a", shared_.now() + seconds(10));
    EXPECT_EQ(error_of(register_branch(*b_, branch)), "");
    EXPECT_EQ(live(*b_), 1U);
    advance(seconds(5));
  }
  advance(seconds(7));
  EXPECT_EQ(live(*b_), 0U);
  EXPECT_EQ(owner(), "cc-rest");
}

TEST_F(EngineLeaseEnds, LeasesAreRenewedDuringAStop) {
  a_branches_.hold("action 01");
  submit(*a_, make_request("g", "saga", 2));
  const auto stopped = stop(*a_, 10 * lease_);
  advance(4 * lease_);
  EXPECT_EQ(owner(), "cc-a");
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  a_branches_.answer("action 01", Outcome::success);
  advance(seconds(5));
  EXPECT_TRUE(stopped->has_value());
  EXPECT_EQ(stored().status, TransStatus::succeed);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 02"));
  const std::size_t renewals = a_->store.renewals;
  advance(2 * lease_);
  EXPECT_EQ(a_->store.renewals, renewals);
}

TEST_F(EngineLeaseEnds, AStopLetsGoOfWhatAPollHasClaimedUntilItsDeadline) {
  a_branches_.hold("action 01");
  for (const char* gid : {"g", "g2", "g3"}) submit(*a_, make_request(gid, "saga", 1));
  kill(*a_);
  b_->store.hold();
  advance(takeover_);
  const auto stopped = stop(*b_, seconds(10));
  b_->store.release(1);  // the poll
  b_->world->run();
  ASSERT_EQ(b_->store.let_go_gids.size(), 1U);
  b_->store.release(1);
  b_->world->run();
  EXPECT_EQ(b_->store.let_go_gids.size(), 2U);
  advance(seconds(10));
  b_->store.release(1);
  b_->world->run();
  EXPECT_EQ(b_->store.let_go_gids.size(), 2U);
  EXPECT_TRUE(stopped->has_value());
}

TEST_F(EngineLeaseEnds, APollClaimsNothingWhileMemoryIsFull) {
  a_branches_.hold("action 01");
  for (const char* gid : {"g", "g2"}) submit(*a_, make_request(gid, "saga", 1));
  kill(*a_);
  kill(*b_);
  shared_.set_owner(Gid("g"), "cc-b", shared_.now());
  options_.in_flight_bytes_max = 1;
  b_branches_.hold("action 01");
  const auto old = std::move(b_);
  b_ = start_node("c", b_branches_);
  advance(takeover_);
  EXPECT_EQ(b_branches_.calls.size(), 1U);
  EXPECT_EQ(shared_.owner(Gid("g2")), "cc-a");
  b_branches_.answer("action 01", Outcome::success);
  advance(seconds(5));
  EXPECT_EQ(b_branches_.calls.size(), 2U);
  EXPECT_EQ(shared_.owner(Gid("g2")), "cc-c");
}

}  // namespace
}  // namespace concerto::test
