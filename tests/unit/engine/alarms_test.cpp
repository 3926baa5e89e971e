#include "alarms.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "fake_clock.hpp"

namespace concerto {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime start{};
constexpr WallTime noon{hours(12)};

WallTime oldest_of(const Alarms& alarms) {
  WallTime found = WallTime::max();
  for (std::size_t part = 0; part < alarms.parts(); ++part) {
    found = std::min(found, alarms.oldest_in(part));
  }
  return found;
}

/// All gids whose next pass is later than `time`, found part by part.
std::vector<Gid> waiting_beyond(const Alarms& alarms, SteadyTime time) {
  std::vector<Gid> found;
  for (std::size_t from = 0; from < alarms.index_end();) {
    alarms.waiting_beyond(time, 1'000'000, from, found);
  }
  return found;
}

/// A model of Alarms that takes no care of memory and time.
class SimpleAlarms {
 public:
  struct Times {
    std::optional<TransType> type;
    SteadyTime next_pass = SteadyTime::max();
    SteadyTime timeout = SteadyTime::max();
    std::string target;  ///< what the transaction waits for until its next pass
    WallTime create_time = WallTime::max();
    SteadyTime first() const { return std::min(next_pass, timeout); }
  };

  std::map<Gid, Times> all;

  void forget_without_alarm(const Gid& gid) {
    const auto found = all.find(gid);
    if (found == all.end() || found->second.type) return;
    if (found->second.first() == SteadyTime::max()) all.erase(found);
  }
  std::size_t size() const {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& entry) {
      return entry.second.first() != SteadyTime::max();
    }));
  }
  SteadyTime earliest() const {
    SteadyTime found = SteadyTime::max();
    for (const auto& [gid, times] : all) found = std::min(found, times.first());
    return found;
  }
  WallTime oldest() const {
    WallTime found = WallTime::max();
    for (const auto& [gid, times] : all) found = std::min(found, times.create_time);
    return found;
  }
  /// The earlier alarms of the transactions that wait for the target.
  std::vector<SteadyTime> waiting_for(const std::string& target) const {
    std::vector<SteadyTime> found;
    for (const auto& [gid, times] : all) {
      if (times.next_pass != SteadyTime::max() && times.target == target)
        found.push_back(times.first());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::vector<Gid> waiting_beyond(SteadyTime time) const {
    std::vector<Gid> found;
    for (const auto& [gid, times] : all) {
      if (times.next_pass > time && times.next_pass != SteadyTime::max()) found.push_back(gid);
    }
    return found;
  }
};

/// Gids of the lengths and characters that are stored in different ways.
Gid some_gid(std::size_t number) {
  constexpr std::array<std::size_t, 8> lengths{5, 18, 19, 22, 24, 25, 36, 128};
  std::string text(lengths[number % lengths.size()], number % 3 == 0 ? ':' : '0');
  const std::string digits = std::to_string(number);
  return Gid(text.replace(text.size() - digits.size(), digits.size(), digits));
}

class AlarmsAgainstModel : public testing::TestWithParam<unsigned> {
 protected:
  void step() {
    const Gid gid = some_gid(random_() % 400);
    const SteadyTime at = now_ + seconds(random_() % 100);
    SimpleAlarms::Times& times = model_.all[gid];
    switch (random_() % 10) {
      case 0:
      case 1: {
        const auto type = static_cast<TransType>(1 + random_() % 5);
        const WallTime created = noon + seconds(random_() % 10'000);
        EXPECT_EQ(alarms_.add(gid, type, created), !times.type.has_value());
        times.type = type;
        times.create_time = created;
        break;
      }
      case 2:
        alarms_.set_next_pass(gid, times.next_pass = at);
        times.target.clear();
        break;
      case 8:
        times.target = targets[random_() % targets.size()];
        alarms_.set_next_pass(gid, times.next_pass = at, times.target);
        break;
      case 9:
        pop_waiting(targets[random_() % targets.size()]);
        break;
      case 3:
        alarms_.set_timeout(gid, times.timeout = at);
        break;
      case 4:
        alarms_.cancel_next_pass(gid);
        times.next_pass = SteadyTime::max();
        break;
      case 5:
        alarms_.cancel(gid);
        times.next_pass = times.timeout = SteadyTime::max();
        break;
      case 6:
        EXPECT_EQ(alarms_.remove(gid), times.type);
        model_.all.erase(gid);
        break;
      default:
        now_ += seconds(1);
        pop_due();
    }
    model_.forget_without_alarm(gid);
    EXPECT_EQ(alarms_.type_of(gid), model_.all.contains(gid) ? model_.all[gid].type : std::nullopt);
    model_.forget_without_alarm(gid);
  }

  void pop_due() {
    while (const auto wake = alarms_.pop_due(now_)) {
      ASSERT_TRUE(model_.all.contains(wake->gid));
      SimpleAlarms::Times& times = model_.all[wake->gid];
      EXPECT_EQ(times.first(), model_.earliest());
      EXPECT_EQ(wake->next_pass, times.next_pass <= now_);
      EXPECT_EQ(wake->timeout, times.timeout <= now_);
      if (wake->next_pass) times.next_pass = SteadyTime::max();
      if (wake->timeout) times.timeout = SteadyTime::max();
      model_.forget_without_alarm(wake->gid);
    }
    EXPECT_GT(model_.earliest(), now_);
  }

  void pop_waiting(const std::string& target) {
    const std::vector<SteadyTime> waiting = model_.waiting_for(target);
    ASSERT_EQ(alarms_.waiting_for(target), waiting.size());
    const auto wake = alarms_.pop_waiting(target, Alarms::Cause::answer, now_);
    ASSERT_EQ(wake.has_value(), !waiting.empty());
    if (!wake) return;
    SimpleAlarms::Times& times = model_.all[wake->gid];
    EXPECT_EQ(times.target, target);
    EXPECT_EQ(times.first(), waiting.front());
    EXPECT_TRUE(wake->next_pass);
    EXPECT_EQ(wake->timeout, times.timeout <= now_);
    times.next_pass = SteadyTime::max();
    if (wake->timeout) times.timeout = SteadyTime::max();
    model_.forget_without_alarm(wake->gid);
  }

  const std::vector<std::string> targets{"http://a", "http://b", "grpc-c:80"};
  std::mt19937 random_{GetParam()};
  SteadyTime now_ = start;
  Alarms alarms_;
  SimpleAlarms model_;
};

TEST_P(AlarmsAgainstModel, AgreeWithTheModel) {
  for (int i = 0; i < 5'000 && !HasFailure(); ++i) {
    step();
    EXPECT_EQ(alarms_.size(), model_.size());
    EXPECT_EQ(alarms_.earliest(), model_.earliest());
    for (const std::string& target : targets) {
      EXPECT_EQ(alarms_.waiting_for(target), model_.waiting_for(target).size());
    }
    if (i % 100 != 0) continue;
    EXPECT_EQ(oldest_of(alarms_), model_.oldest());
    const SteadyTime later = now_ + seconds(50);
    EXPECT_THAT(waiting_beyond(alarms_, later),
                testing::UnorderedElementsAreArray(model_.waiting_beyond(later)));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AlarmsAgainstModel, testing::Range(1U, 9U));

TEST(Alarms, AgreeWithAPlainMapOverManyRandomChanges) {
  Alarms alarms;
  test::FakeClock clock;
  test::SeededRandom random(11);
  std::map<std::string, std::pair<SteadyTime, SteadyTime>> model;  // next pass, timeout
  const SteadyTime never = SteadyTime::max();
  for (int round = 0; round < 5000; ++round) {
    const std::string name = "g" + std::to_string(random.below(100));
    auto& times = model.try_emplace(name, never, never).first->second;
    const SteadyTime at = clock.steady_now() + milliseconds(random.below(100));
    switch (random.below(4)) {
      case 0:
        alarms.set_next_pass(Gid(name), times.first = at);
        break;
      case 1:
        alarms.set_timeout(Gid(name), times.second = at);
        break;
      case 2:
        alarms.cancel_next_pass(Gid(name)), times.first = never;
        break;
      default:
        alarms.cancel(Gid(name)), times = {never, never};
    }
    clock.advance(milliseconds(1));
    const SteadyTime now = clock.steady_now();
    while (auto wake = alarms.pop_due(now)) {
      auto& expected = model.at(wake->gid.str());
      EXPECT_EQ(wake->next_pass, expected.first <= now);
      EXPECT_EQ(wake->timeout, expected.second <= now);
      if (wake->next_pass) expected.first = never;
      if (wake->timeout) expected.second = never;
    }
    SteadyTime first = never;
    std::size_t armed = 0;
    for (const auto& [gid, pair] : model) {
      first = std::min({first, pair.first, pair.second});
      armed += std::min(pair.first, pair.second) != never ? 1 : 0;
    }
    ASSERT_EQ(alarms.earliest(), first);
    ASSERT_EQ(alarms.size(), armed);
  }
}

TEST(Alarms, AreDueInTheOrderOfTheirTimes) {
  Alarms alarms;
  for (const int second : {5, 1, 4, 2, 3}) {
    alarms.set_next_pass(Gid(std::to_string(second)), start + seconds(second));
  }
  alarms.cancel_next_pass(Gid("3"));
  std::vector<std::string> order;
  while (auto wake = alarms.pop_due(start + seconds(9))) order.push_back(wake->gid.str());
  EXPECT_THAT(order, testing::ElementsAre("1", "2", "4", "5"));
  EXPECT_EQ(alarms.earliest(), SteadyTime::max());
}

TEST(Alarms, TellBothTimesOfATransaction) {
  Alarms alarms;
  alarms.set_next_pass(Gid("g"), start + seconds(1));
  alarms.set_timeout(Gid("g"), start + seconds(2));
  const auto first = alarms.pop_due(start + seconds(1));
  EXPECT_TRUE(first->next_pass);
  EXPECT_FALSE(first->timeout);
  EXPECT_FALSE(alarms.pop_due(start + seconds(1)).has_value());
  EXPECT_TRUE(alarms.pop_due(start + seconds(2))->timeout);
}

TEST(Alarms, TellWhenATransactionTimesOut) {
  Alarms alarms;
  const Gid gid("g");
  EXPECT_EQ(alarms.timeout_of(gid), SteadyTime::max());
  alarms.set_next_pass(gid, start + seconds(1));
  EXPECT_EQ(alarms.timeout_of(gid), SteadyTime::max());
  alarms.set_timeout(gid, start + seconds(2));
  EXPECT_EQ(alarms.timeout_of(gid), start + seconds(2));
  alarms.cancel(gid);
  EXPECT_EQ(alarms.timeout_of(gid), SteadyTime::max());
}

TEST(Alarms, GiveTransactionsThatWaitForATargetBeforeTheirTime) {
  Alarms alarms;
  for (const int second : {50, 10, 40, 20, 30}) {
    const std::string target = second % 20 == 0 ? "http://even" : "http://odd";
    alarms.set_next_pass(Gid(std::to_string(second)), start + seconds(second), target);
  }
  EXPECT_EQ(alarms.target_of(Gid("20")), "http://even");
  EXPECT_THAT(alarms.targets_with(3), testing::ElementsAre("http://odd"));
  EXPECT_EQ(alarms.pop_waiting("http://even", Alarms::Cause::answer, start)->gid, Gid("20"));
  EXPECT_EQ(alarms.pop_waiting("http://even", Alarms::Cause::answer, start)->gid, Gid("40"));
  EXPECT_FALSE(alarms.pop_waiting("http://even", Alarms::Cause::answer, start).has_value());
  EXPECT_EQ(alarms.target_of(Gid("20")), "");
  EXPECT_EQ(alarms.earliest(), start + seconds(10));
  EXPECT_EQ(alarms.pop_due(start + seconds(10))->gid, Gid("10"));
  EXPECT_EQ(alarms.earliest(), start + seconds(30));
  alarms.set_next_pass(Gid("30"), start + seconds(60));
  alarms.remove(Gid("50"));
  EXPECT_FALSE(alarms.any_waits());
  EXPECT_EQ(alarms.earliest(), start + seconds(60));
}

TEST(Alarms, KeepALimitedNumberOfTargets) {
  Alarms alarms;
  for (std::size_t i = 0; i <= Alarms::targets_max; ++i) {
    alarms.set_next_pass(some_gid(i), start + seconds(1), "http://host" + std::to_string(i));
  }
  EXPECT_EQ(alarms.size(), Alarms::targets_max + 1);
  EXPECT_EQ(alarms.targets_with(1).size(), Alarms::targets_max);
  EXPECT_EQ(alarms.target_of(some_gid(Alarms::targets_max)), "");
  while (alarms.pop_due(start + seconds(1))) {
  }
  EXPECT_EQ(alarms.size(), 0U);
  EXPECT_FALSE(alarms.any_waits());
}

TEST(Alarms, KnowATransactionUntilItIsRemoved) {
  Alarms alarms;
  EXPECT_TRUE(alarms.add(Gid("g"), TransType::tcc, noon));
  EXPECT_FALSE(alarms.add(Gid("g"), TransType::tcc, noon));
  alarms.set_next_pass(Gid("g"), start);
  alarms.pop_due(start);
  alarms.cancel(Gid("g"));
  EXPECT_EQ(alarms.type_of(Gid("g")), TransType::tcc);
  alarms.remove(Gid("g"));
  EXPECT_FALSE(alarms.type_of(Gid("g")).has_value());
}

TEST(Alarms, ForgetAGidThatWasNotAddedWithItsLastAlarm) {
  Alarms alarms;
  alarms.set_next_pass(Gid("g"), start);
  EXPECT_FALSE(alarms.type_of(Gid("g")).has_value());
  alarms.pop_due(start);
  EXPECT_EQ(alarms.size(), 0U);
  EXPECT_TRUE(alarms.add(Gid("g"), TransType::saga, noon));
}

TEST(Alarms, FindTheOldestTransactionPartByPart) {
  Alarms alarms;
  EXPECT_EQ(oldest_of(alarms), WallTime::max());
  for (int i = 0; i < 20'000; ++i) {
    alarms.add(Gid(std::to_string(i)), TransType::saga, noon + seconds((i + 7'000) % 20'000));
  }
  EXPECT_GT(alarms.parts(), 2U);
  EXPECT_EQ(oldest_of(alarms), noon);
}

TEST(Alarms, RoundCreateTimesDownToSeconds) {
  Alarms alarms;
  alarms.add(Gid("g"), TransType::saga, noon + std::chrono::milliseconds(1'999));
  EXPECT_EQ(oldest_of(alarms), noon + seconds(1));
  alarms.add(Gid("of a clock before 1970"), TransType::saga, WallTime{} - seconds(5));
  EXPECT_EQ(oldest_of(alarms), WallTime{});
}

TEST(Alarms, GiveALimitedNumberOfLaterPasses) {
  Alarms alarms;
  for (std::size_t i = 0; i < 10; ++i) alarms.set_next_pass(some_gid(i), start + seconds(i));
  alarms.set_timeout(Gid("only a timeout"), start + seconds(9));
  std::size_t from = 0;
  std::vector<Gid> found;
  alarms.waiting_beyond(start, 4, from, found);
  EXPECT_EQ(found.size(), 4U);
  alarms.waiting_beyond(start, 100, from, found);
  EXPECT_EQ(found.size(), 9U);
  EXPECT_EQ(std::set<Gid>(found.begin(), found.end()).size(), 9U);
  EXPECT_EQ(from, alarms.index_end());
  EXPECT_EQ(waiting_beyond(alarms, start + seconds(6)).size(), 3U);
}

}  // namespace
}  // namespace concerto
