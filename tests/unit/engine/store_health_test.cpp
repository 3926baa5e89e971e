#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/store_health.hpp>

namespace concerto {
namespace {

using State = StoreHealth::State;

TEST(StoreHealth, ServesWithoutAReason) {
  EXPECT_EQ(StoreHealth().state, State::serving);
}

TEST(StoreHealth, TheStateIsTheWorstOfItsReasons) {
  StoreHealth health;
  health.add(State::recovering, "away");
  EXPECT_EQ(health.state, State::recovering);
  health.add(State::refusing, "full");
  EXPECT_EQ(health.state, State::recovering);
  health.add(State::failed, "broken");
  EXPECT_EQ(health.state, State::failed);
  EXPECT_THAT(health.reasons, testing::ElementsAre("away", "full", "broken"));
}

}  // namespace
}  // namespace concerto
