#include "alarms.hpp"

#include <gmock/gmock.h>

namespace concerto {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr SteadyTime start{};
constexpr WallTime noon{hours(12)};

TEST(Alarms, ComeInTheOrderOfTheirTimes) {
  Alarms alarms;
  for (const int second : {5, 1, 4, 2, 3}) {
    alarms.set_wake(Gid(std::to_string(second)), start + seconds(second));
  }
  alarms.cancel_wake(Gid("3"));
  std::vector<std::string> order;
  while (auto due = alarms.pop_due(start + seconds(9))) order.push_back(due->gid.str());
  EXPECT_THAT(order, testing::ElementsAre("1", "2", "4", "5"));
  EXPECT_EQ(alarms.earliest(), SteadyTime::max());
}

TEST(Alarms, TellBothTimesOfATransaction) {
  Alarms alarms;
  alarms.set_wake(Gid("g"), start + seconds(1));
  alarms.set_timeout(Gid("g"), start + seconds(2));
  const auto first = alarms.pop_due(start + seconds(1));
  EXPECT_TRUE(first->wake);
  EXPECT_FALSE(first->timeout);
  EXPECT_FALSE(alarms.pop_due(start + seconds(1)).has_value());
  EXPECT_TRUE(alarms.pop_due(start + seconds(2))->timeout);
}

TEST(Alarms, KnowATransactionUntilItIsRemoved) {
  Alarms alarms;
  EXPECT_TRUE(alarms.add(Gid("g"), TransType::tcc, noon));
  EXPECT_FALSE(alarms.add(Gid("g"), TransType::tcc, noon));
  alarms.set_wake(Gid("g"), start);
  alarms.pop_due(start);
  alarms.cancel(Gid("g"));
  EXPECT_EQ(alarms.type_of(Gid("g")), TransType::tcc);
  alarms.remove(Gid("g"));
  EXPECT_FALSE(alarms.type_of(Gid("g")).has_value());
}

TEST(Alarms, ForgetWhatWasNeverAddedWithItsLastAlarm) {
  Alarms alarms;
  alarms.set_wake(Gid("g"), start);
  EXPECT_FALSE(alarms.type_of(Gid("g")).has_value());
  alarms.pop_due(start);
  EXPECT_EQ(alarms.size(), 0U);
  EXPECT_TRUE(alarms.add(Gid("g"), TransType::saga, noon));
}

TEST(Alarms, FindTheOldestPartByPart) {
  Alarms alarms;
  const auto oldest = [&] {
    WallTime found = WallTime::max();
    for (std::size_t part = 0; part < alarms.parts(); ++part) {
      found = std::min(found, alarms.oldest_in(part));
    }
    return found;
  };
  EXPECT_EQ(oldest(), WallTime::max());
  for (int i = 0; i < 20'000; ++i) {
    alarms.add(Gid(std::to_string(i)), TransType::saga, noon + seconds((i + 7'000) % 20'000));
  }
  EXPECT_GT(alarms.parts(), 2U);
  EXPECT_EQ(oldest(), noon);
}

}  // namespace
}  // namespace concerto
