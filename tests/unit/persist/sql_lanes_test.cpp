#include <algorithm>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql_lanes_fixture.hpp"

/// What a group commit answers while its database is away, or has not answered.
namespace concerto::test {
namespace {

using namespace persist;
using namespace std::chrono_literals;

TEST_F(SqlLanes, AReadDoesNotWaitForProgressOfADatabaseThatIsAway) {
  script_.is_away = true;
  commit_progress();
  ASSERT_EQ(script_.connects, 1);
  settle();
  ASSERT_TRUE(settled_) << "the lane tries again and again";
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(script_.connects, 1);
}

TEST_F(SqlLanes, AChangeDoesNotWaitForAnotherOneIfTheDatabaseIsAway) {
  commit_durable();
  script_.is_away = true;
  asio::co_spawn(io_, pool_.acquire(), [](auto, const Result<SqlLease>&) {});
  run();
  ASSERT_TRUE(pool_.away());
  commit_other();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(other_committed_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_);
}

TEST_F(SqlLanes, AReadFailsWhileTheOutcomeOfAChangeIsNotKnown) {
  commit_durable();
  settle();
  EXPECT_FALSE(settled_);
  script_.ends_backend = false;
  go_on();
  ASSERT_TRUE(settled_);
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_);
}

TEST_F(SqlLanes, APollWaitsForEveryChangeThatWasQueuedBefore) {
  commit_durable();
  commit_other();
  settle_all();
  EXPECT_FALSE(settled_) << "the outcome of the change is not known";
  script_.stored.row.update_time = 7;
  go_on();
  EXPECT_TRUE(committed_);
  EXPECT_FALSE(settled_) << "nor that of the other one, in the next group";
  go_on();
  EXPECT_TRUE(other_committed_);
  ASSERT_TRUE(settled_);
}

TEST_F(SqlLanes, APollDoesNotWaitForProgressOfADatabaseThatIsAway) {
  script_.is_away = true;
  commit_progress();
  settle_all();
  ASSERT_TRUE(settled_) << "the lane tries again and again";
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
}

TEST_F(SqlLanes, APollWaitsForNothingIfNothingIsQueued) {
  settle_all();
  ASSERT_TRUE(settled_);
  EXPECT_TRUE(*settled_);
  EXPECT_EQ(script_.writes, 0);
}

TEST_F(SqlLanes, ALongQueueIsWrittenInGroupsAndAReadWaitsForItsChangeAlone) {
  script_.writes_succeed = script_.writes_wait = true;
  commit_durable();
  std::deque<RowRequest> queued(600);
  std::vector<std::string> made;
  int next = 0;
  for (RowRequest& request : queued) {
    fill(request);
    request.gid = "g" + std::to_string(next++);
    asio::co_spawn(io_, lanes_.commit(request, io_.get_executor()),
                   [&made, &request](auto, const Result<>&) { made.push_back(request.gid); });
  }
  run();
  settle("g3");
  go_on();
  EXPECT_TRUE(committed_);
  EXPECT_THAT(made, testing::IsEmpty());
  go_on();
  EXPECT_EQ(made.size(), 256U);
  EXPECT_EQ(made.back(), "g255");
  ASSERT_TRUE(settled_) << "although others are queued before it";
  go_on();
  EXPECT_EQ(made.size(), 512U);
  go_on();
  ASSERT_EQ(made.size(), 600U);
  EXPECT_EQ(made.back(), "g599");
}

TEST_F(SqlLanes, AChangeWhoseAnswerWasLostIsMadeIfTheRowShowsIt) {
  commit_durable();
  script_.stored.row.update_time = 7;
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_TRUE(*committed_) << committed_->error().detail;
}

TEST_F(SqlLanes, AChangeThatTheRowDoesNotShowIsTriedAgainForAShortTime) {
  commit_durable();
  for (int attempt = 1; attempt < 4; ++attempt) {
    go_on();
    EXPECT_FALSE(committed_);
    EXPECT_EQ(script_.writes, attempt + 1);
  }
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(script_.writes, 4);
}

TEST_F(SqlLanes, AChangeThatTheRowDoesNotShowIsNotTriedAgainAfterALongTime) {
  commit_durable();
  clock_.advance(std::chrono::seconds{5});
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(script_.writes, 1);
}

TEST_F(SqlLanes, AChangeThatWasNotMadeIsMadeByTheNextConnection) {
  script_.during_write = [this] { script_.writes_succeed = script_.writes > 1; };
  commit_durable();
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_TRUE(*committed_) << committed_->error().detail;
  EXPECT_EQ(script_.writes, 2);
}

TEST_F(SqlLanes, TheQueueIsEmptyWhenItsLastChangeHasAnAnswer) {
  commit_durable();
  EXPECT_EQ(probe_.queued_changes.load(), 1U);
  script_.stored.row.update_time = 7;
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(probe_.queued_changes.load(), 0U);
  EXPECT_EQ(probe_.queued_bytes.load(), 0U);
}

TEST_F(SqlLanes, AChangeWhoseAnswerWasLostLosesTheLeaseIfAnotherNodeHasTheRow) {
  commit_durable();
  script_.stored.row.owner = "cc-other";
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::lease_lost);
}

TEST_F(SqlLanes, ARefusalOfTheDatabaseIsToldOnceAndCounted) {
  script_.write_fails = make_error(SqlErrc::wrong_schema, "permission denied (42501)");
  commit_durable();
  commit_other();
  ASSERT_TRUE(committed_ && other_committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(log_.texts,
            std::vector<std::string>{"the database refuses changes: permission denied (42501)"});
  EXPECT_EQ(watch_.health().state, StoreHealth::State::recovering);
  EXPECT_EQ(watch_.failed_changes(), 2U);
}

TEST_F(SqlLanes, AGroupIsTriedAgainAtOnceOnlyForAShortTime) {
  script_.write_fails = make_error(SqlErrc::rolled_back, "deadlock");
  commit_durable();
  EXPECT_EQ(script_.writes, 4);
  script_.during_write = [this] { clock_.advance(std::chrono::seconds{5}); };
  commit_other();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(script_.writes, 5);
}

TEST_F(SqlLanes, NobodyWaitsForADatabaseThatIsSilent) {
  commit_durable();
  commit_other();  // behind it
  EXPECT_FALSE(other_committed_);
  fall_silent();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(other_committed_->error().code, EngineErrc::store_busy);
  settle();
  ASSERT_TRUE(settled_);
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_) << "its outcome is not known";
}

TEST_F(SqlLanes, AStopGivesUpALostAnswerOfASilentDatabase) {
  commit_durable();
  fall_silent();
  script_.ends_backend = false;
  lanes_.give_up();
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_failed);
}

}  // namespace
}  // namespace concerto::test
