#include "target_slots.hpp"

#include <gtest/gtest.h>

namespace concerto {
namespace {

Alarms::Due due(const std::string& gid) {
  return {Gid(gid), true, false};
}

TEST(TargetSlots, AreTakenUpToTheBoundOfEachTarget) {
  TargetSlots slots(2);
  EXPECT_TRUE(slots.take("a", due("1")));
  EXPECT_TRUE(slots.take("a", due("2")));
  EXPECT_FALSE(slots.take("a", due("3")));
  EXPECT_TRUE(slots.take("b", due("4")));
  EXPECT_EQ(slots.waiting(), 1U);
  EXPECT_EQ(slots.waits_for(Gid("3")), "a");
  EXPECT_EQ(slots.waits_for(Gid("1")), "");
}

TEST(TargetSlots, GoToWhoWaitsLongest) {
  TargetSlots slots(1);
  slots.take("a", due("1"));
  slots.take("a", due("2"));
  slots.take("a", due("3"));
  EXPECT_EQ(slots.give_back("a")->gid, Gid("2"));
  EXPECT_FALSE(slots.take("a", due("4")));
  EXPECT_EQ(slots.give_back("a")->gid, Gid("3"));
  EXPECT_EQ(slots.give_back("a")->gid, Gid("4"));
  EXPECT_FALSE(slots.give_back("a").has_value());
  EXPECT_EQ(slots.waiting(), 0U);
  EXPECT_TRUE(slots.take("a", due("5")));
}

TEST(TargetSlots, KeepATimeoutThatComesWhileItWaits) {
  TargetSlots slots(1);
  slots.take("a", due("1"));
  slots.take("a", due("2"));
  EXPECT_FALSE(slots.take("a", {Gid("2"), false, true}));
  EXPECT_EQ(slots.waiting(), 1U);
  const auto next = slots.give_back("a");
  EXPECT_TRUE(next->wake);
  EXPECT_TRUE(next->timeout);
}

TEST(TargetSlots, ForgetWhoIsServedElsewhere) {
  TargetSlots slots(1);
  slots.take("a", due("1"));
  slots.take("a", due("2"));
  slots.take("a", due("3"));
  slots.forget(Gid("2"));
  slots.forget(Gid("9"));
  EXPECT_EQ(slots.waiting(), 1U);
  EXPECT_EQ(slots.give_back("a")->gid, Gid("3"));
}

TEST(TargetSlots, AreNotPassedOnAboveASmallerBound) {
  TargetSlots slots(2);
  slots.take("a", due("1"));
  slots.take("a", due("2"));
  slots.take("a", due("3"));
  slots.set_max(1);
  EXPECT_FALSE(slots.give_back("a").has_value());
  EXPECT_EQ(slots.give_back("a")->gid, Gid("3"));
}

TEST(TargetSlots, LetInWhoWaitsWhenTheBoundGrows) {
  TargetSlots slots(1);
  for (const char* gid : {"1", "2", "3", "4", "5"}) slots.take("a", due(gid));
  slots.forget(Gid("2"));
  const auto admitted = slots.set_max(3);
  ASSERT_EQ(admitted.size(), 2U);
  EXPECT_EQ(admitted[0].due.gid, Gid("3"));
  EXPECT_EQ(admitted[1].due.gid, Gid("4"));
  EXPECT_EQ(admitted[1].target, "a");
  EXPECT_EQ(slots.waiting(), 1U);
}

TEST(TargetSlots, AreFreeAgainWhenTheLineIsForgotten) {
  TargetSlots slots(2);
  for (const char* gid : {"1", "2", "3"}) slots.take("a", due(gid));
  slots.forget(Gid("3"));
  EXPECT_FALSE(slots.give_back("a").has_value());
  EXPECT_TRUE(slots.take("a", due("4")));
}

}  // namespace
}  // namespace concerto
