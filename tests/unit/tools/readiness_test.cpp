#include "readiness.hpp"

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Readiness : public testing::Test {
 protected:
  /// The line that is written `after` the one before.
  std::string look(const std::vector<std::string>& reasons, std::chrono::nanoseconds after) {
    now_ += after;
    const auto line = log_.look(reasons, now_);
    return line ? line->text : "";
  }

  const std::vector<std::string> away_{"the store is away: no route to db1"};
  ReadinessLog log_{"HTTP on port 1"};
  SteadyTime now_{seconds(1000)};
};

TEST_F(Readiness, AStartOfAMomentHasOneLine) {
  EXPECT_EQ(look({"unfinished transactions are being read"}, {}), "");
  EXPECT_EQ(look({}, milliseconds(900)), "ready: HTTP on port 1");
  EXPECT_EQ(look({}, seconds(1)), "");
}

TEST_F(Readiness, AStartWithoutTheStoreSaysWhyAndWhenItIsReady) {
  EXPECT_EQ(look(away_, {}), "");
  EXPECT_FALSE(log_.was_ready());
  EXPECT_EQ(look(away_, seconds(1)), "not ready yet: the store is away: no route to db1");
  EXPECT_EQ(look(away_, seconds(600)), "") << "nothing new";
  EXPECT_EQ(look({}, seconds(1)), "ready: HTTP on port 1");
  EXPECT_TRUE(log_.was_ready());
}

TEST_F(Readiness, LaterTroubleHasALineAtItsBeginningAndAtItsEnd) {
  look({}, {});
  EXPECT_EQ(look(away_, seconds(1)), "");
  EXPECT_EQ(look({}, milliseconds(500)), "") << "it was short";
  EXPECT_EQ(look(away_, seconds(1)), "");
  EXPECT_EQ(look(away_, seconds(1)), "not ready: the store is away: no route to db1");
  EXPECT_EQ(look({}, seconds(1)), "ready again");
  EXPECT_EQ(look({}, seconds(1)), "");
}

TEST_F(Readiness, ReasonsThatDifferInTheirNumbersHaveOneLine) {
  look({}, {});
  look({"behind by 10 seconds"}, {});
  EXPECT_EQ(look({"behind by 11 seconds"}, seconds(1)), "not ready: behind by 11 seconds");
  for (int second = 12; second < 191; ++second) {
    EXPECT_EQ(look({"behind by " + std::to_string(second) + " seconds"}, seconds(1)), "");
  }
}

TEST_F(Readiness, OtherReasonsHaveALineInTenSeconds) {
  look({}, {});
  look({"no route"}, {});
  EXPECT_EQ(look({"no route"}, seconds(1)), "not ready: no route");
  EXPECT_EQ(look({"wrong password"}, seconds(1)), "");
  EXPECT_EQ(look({"wrong password", "full"}, seconds(9)), "not ready: wrong password; full");
}

TEST(StoreStateForLog, IsShort) {
  StoreHealth health;
  EXPECT_TRUE(store_state_for_log(health).empty());
  health.add(StoreHealth::State::recovering, "PostgreSQL: no route to db1, user dtm");
  EXPECT_EQ(store_state_for_log(health),
            std::vector<std::string>{"the store is away or refuses changes"});
}

}  // namespace
}  // namespace concerto::tools
