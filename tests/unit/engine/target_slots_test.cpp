#include "target_slots.hpp"

#include <gmock/gmock.h>

namespace concerto {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Alarms::Wake wake(const std::string& gid) {
  return {Gid(gid), true, false};
}

std::vector<std::string> gids(const TargetSlots::Admitted& admitted) {
  std::vector<std::string> result;
  for (const Alarms::Wake& wake : admitted) result.push_back(wake.gid.str());
  return result;
}

constexpr auto unused = TargetSlots::Use::unused;
constexpr auto answered = TargetSlots::Use::answered;
constexpr auto failed = TargetSlots::Use::failed;

TEST(TargetSlots, AreTakenUpToTheLimitOfEachTarget) {
  TargetSlots slots(2);
  EXPECT_TRUE(slots.take("a", wake("1")));
  EXPECT_TRUE(slots.take("a", wake("2")));
  EXPECT_FALSE(slots.take("a", wake("3")));
  EXPECT_TRUE(slots.take("b", wake("4")));
  EXPECT_EQ(slots.queued(), 1U);
  EXPECT_EQ(slots.queued_at(Gid("3")), "a");
  EXPECT_EQ(slots.queued_at(Gid("1")), "");
}

TEST(TargetSlots, AreTakenByTrialsWhereNobodyIsQueued) {
  TargetSlots slots(2);
  EXPECT_FALSE(slots.has_taken("a"));
  EXPECT_TRUE(slots.take_free("a"));
  EXPECT_TRUE(slots.has_taken("a"));
  EXPECT_TRUE(slots.take("a", wake("1")));
  EXPECT_FALSE(slots.take_free("a"));
  slots.take("a", wake("2"));
  EXPECT_THAT(gids(slots.give_back("a", failed)), ElementsAre("2"));
  slots.give_back("a", failed);
  slots.give_back("a", failed);
  EXPECT_FALSE(slots.has_taken("a"));
}

TEST(TargetSlots, GoToTheTransactionThatIsQueuedLongest) {
  TargetSlots slots(1);
  slots.take("a", wake("1"));
  slots.take("a", wake("2"));
  slots.take("a", wake("3"));
  EXPECT_THAT(gids(slots.give_back("a", unused)), ElementsAre("2"));
  EXPECT_FALSE(slots.take("a", wake("4")));
  EXPECT_THAT(gids(slots.give_back("a", failed)), ElementsAre("3"));
  EXPECT_THAT(gids(slots.give_back("a", answered)), ElementsAre("4"));
  EXPECT_THAT(gids(slots.give_back("a", unused)), IsEmpty());
  EXPECT_EQ(slots.queued(), 0U);
  EXPECT_TRUE(slots.take("a", wake("5")));
}

TEST(TargetSlots, ForgetAQueuedTransaction) {
  TargetSlots slots(1);
  for (const char* gid : {"1", "2", "3"}) slots.take("a", wake(gid));
  EXPECT_EQ(slots.forget(Gid("2")).value().gid, Gid("2"));
  EXPECT_FALSE(slots.forget(Gid("9")));
  EXPECT_EQ(slots.queued(), 1U);
  EXPECT_THAT(gids(slots.give_back("a", unused)), ElementsAre("3"));
}

TEST(TargetSlots, AreFreeAgainWhenTheQueueIsForgotten) {
  TargetSlots slots(2);
  for (const char* gid : {"1", "2", "3"}) slots.take("a", wake(gid));
  slots.forget(Gid("3"));
  EXPECT_THAT(gids(slots.give_back("a", unused)), IsEmpty());
  EXPECT_TRUE(slots.take("a", wake("4")));
}

/// Wants `count` slots of target `a`.
void fill(TargetSlots& slots, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) slots.take("a", wake(std::to_string(i)));
}

TEST(TargetSlots, BecomeMoreWithEveryAnswerAndFewerWithEveryFailure) {
  TargetSlots slots(18);
  fill(slots, 30);
  EXPECT_EQ(slots.limit("a"), TargetSlots::first_limit);
  EXPECT_EQ(slots.queued(), 30 - TargetSlots::first_limit);
  EXPECT_THAT(gids(slots.give_back("a", answered)), ElementsAre("16", "17"));
  EXPECT_THAT(gids(slots.give_back("a", answered)), ElementsAre("18", "19"));
  EXPECT_THAT(gids(slots.give_back("a", answered)), ElementsAre("20")) << "18 are the most";
  EXPECT_EQ(slots.limit("a"), 18U);
  EXPECT_THAT(gids(slots.give_back("a", failed)), IsEmpty());
  EXPECT_THAT(gids(slots.give_back("a", failed)), IsEmpty());
  EXPECT_EQ(slots.limit("a"), 16U);
  EXPECT_THAT(gids(slots.give_back("a", failed)), ElementsAre("21")) << "16 are the fewest";
}

TEST(TargetSlots, ForgetTheLimitOfATargetWithItsLastSlot) {
  TargetSlots slots(100);
  fill(slots, TargetSlots::first_limit);
  for (std::size_t i = 0; i < TargetSlots::first_limit - 1; ++i) slots.give_back("a", answered);
  EXPECT_EQ(slots.limit("a"), 2 * TargetSlots::first_limit - 1) << "one slot is still taken";
  slots.give_back("a", answered);
  EXPECT_EQ(slots.limit("a"), TargetSlots::first_limit);
}

TEST(TargetSlots, FollowAMaximumThatChanges) {
  TargetSlots slots(2);
  fill(slots, 6);
  slots.set_max(1);
  EXPECT_THAT(gids(slots.give_back("a", unused)), IsEmpty());
  EXPECT_THAT(gids(slots.give_back("a", unused)), ElementsAre("2"));
  slots.set_max(3);
  EXPECT_THAT(gids(slots.give_back("a", unused)), ElementsAre("3", "4", "5"));
}

}  // namespace
}  // namespace concerto
