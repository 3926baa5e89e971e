#include <gtest/gtest.h>

#include "sql_lanes_fixture.hpp"

/// Which connections a pool hands out.
namespace concerto::test {
namespace {

using namespace persist;
using namespace std::chrono_literals;

class SqlPoolTest : public SqlLanes {};

TEST_F(SqlPoolTest, AfterOneSessionLackedARightAllAreNew) {
  SqlLease refused = take(), idle = take();
  idle.reset();
  script_.lacks_rights = true;
  refused.reset();
  script_.lacks_rights = false;
  SqlLease first = take();
  EXPECT_EQ(pool_.open(), 1U);
  SqlLease second = take();
  EXPECT_EQ(script_.connects, 4);
}

TEST_F(SqlPoolTest, ASessionInUseWhileAnotherOneLackedARightIsClosedAfterIt) {
  SqlLease refused = take(), busy = take();
  script_.lacks_rights = true;
  refused.reset();
  script_.lacks_rights = false;
  clock_.advance(1ns);
  SqlLease fresh = take();
  busy.reset();
  EXPECT_EQ(pool_.open(), 1U);
  fresh.reset();
  fresh = take();
  EXPECT_EQ(script_.connects, 3);
}

TEST_F(SqlPoolTest, WhileARightIsLackingSessionsAreNewOnlyNowAndThen) {
  script_.lacks_rights = true;
  for (int i = 0; i < 100; ++i) {
    take();
    clock_.advance(10ms);
  }
  EXPECT_EQ(script_.connects, 3);
}

TEST_F(SqlPoolTest, OnceACheckHasFoundTheRightsTheOtherSessionsAreClosed) {
  script_.lacks_rights = true;
  take();
  take();
  ASSERT_EQ(script_.connects, 2);
  script_.lacks_rights = false;
  clock_.advance(1ns);
  pool_.rights_are_back();
  EXPECT_EQ(pool_.open(), 0U);
}

TEST_F(SqlPoolTest, WhoWaitsForAConnectionIsToldThatTheDatabaseIsSilent) {
  std::vector<SqlLease> taken;
  std::optional<Error> answered;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(io_, pool_.acquire(), [&](auto, Result<SqlLease> lease) {
      if (lease) {
        taken.push_back(std::move(*lease));
      } else {
        answered = lease.error();
      }
    });
  }
  run();
  ASSERT_TRUE(taken.size() == 2 && !answered);
  fall_silent();
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->detail, "silent");
  pool_.cut();
  EXPECT_EQ(script_.cuts, 2);
}

TEST_F(SqlPoolTest, AConnectionThatFailsLateDoesNotHideThatTheDatabaseAnswers) {
  script_.is_silent = true;
  bool acquired = false;
  asio::co_spawn(io_, pool_.acquire(),
                 [&](auto, const Result<SqlLease>& lease) { acquired = lease.has_value(); });
  run();
  script_.is_silent = false;
  clock_.advance(std::chrono::seconds{3});
  pool_.open_gate();
  go_on();
  EXPECT_TRUE(acquired);
  EXPECT_FALSE(pool_.away());
}

TEST_F(SqlPoolTest, AConnectionThatIsNotMadeIsToldBeforeItsWaiterIsAnswered) {
  script_.is_away = true;
  std::size_t told = 0;
  asio::co_spawn(io_, pool_.acquire(), [&](auto, const Result<SqlLease>& lease) {
    EXPECT_FALSE(lease);
    told = tries_.size();
  });
  run();
  EXPECT_EQ(told, 1U);
  EXPECT_EQ(tries_, std::vector<bool>{false});
}

TEST_F(SqlPoolTest, WhileNoFurtherUserIsLetInTheConnectionsThatThereAreServeAll) {
  SqlLease busy = take();
  script_.is_away = true;
  script_.connect_fails = make_error(SqlErrc::wrong_schema, "password authentication failed");
  std::optional<Result<SqlLease>> second;
  asio::co_spawn(io_, pool_.acquire(),
                 [&](auto, Result<SqlLease> lease) { second = std::move(lease); });
  run();
  EXPECT_FALSE(second) << "it waits";
  EXPECT_FALSE(pool_.away());
  busy.reset();
  run();
  ASSERT_TRUE(second);
  EXPECT_TRUE(*second);
}

TEST_F(SqlPoolTest, WhoLooksForTheDatabasePassesTheGate) {
  fall_silent();
  bool passed = false;
  asio::co_spawn(io_, pool_.acquire(SqlPool::Gate::passed),
                 [&](auto, const Result<SqlLease>& lease) { passed = lease.has_value(); });
  run();
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace concerto::test
