#include "redis/redis_standing.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "store_files.hpp"

namespace concerto::persist {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using State = StoreHealth::State;

constexpr const char* no_replicas =
    "NOREPLICAS Not enough good replicas to write. script: 5a, on @user_script:8.";
constexpr const char* oom = "OOM command not allowed when used memory > 'maxmemory'.";

class RedisStandingTest : public testing::Test {
 protected:
  StoreHealth health() const {
    StoreHealth health;
    standing_.add_to(health);
    return health;
  }

  test::FakeClock clock_;
  test::LogLines log_;
  RedisStanding standing_{clock_, log_};
  const int lanes_[3] = {};
};

TEST_F(RedisStandingTest, AnOutageIsTwoLinesHoweverManyLanesNoticeIt) {
  for (const int& lane : lanes_) standing_.away(&lane, "Connection refused");
  standing_.away(&lanes_[0], "Connection refused");
  EXPECT_EQ(log_.take(), "the store is away: Connection refused\n");
  EXPECT_EQ(health().state, State::recovering);
  EXPECT_THAT(health().reasons, ElementsAre("Redis is away: Connection refused"));
  clock_.advance(milliseconds{3'400});
  standing_.back(&lanes_[0]);
  standing_.back(&lanes_[2]);
  standing_.back(&lanes_[2]);
  EXPECT_EQ(health().state, State::recovering);
  EXPECT_EQ(log_.take(), "");
  standing_.back(&lanes_[1]);
  EXPECT_EQ(log_.take(), "the store is back after 3.4 s\n");
  EXPECT_EQ(health().state, State::serving);
}

TEST_F(RedisStandingTest, EachOtherReasonOfAnOutageIsOneMoreLine) {
  standing_.away(&lanes_[0], "Connection refused");
  clock_.advance(seconds{2});
  standing_.away(&lanes_[1], "LOADING");
  standing_.away(&lanes_[0], "Connection refused");
  standing_.away(&lanes_[0], "LOADING");
  EXPECT_EQ(
      log_.take(),
      "the store is away: Connection refused\nthe store is still away after 2.0 s: LOADING\n");
  for (int i = 0; i < 10; ++i) standing_.away(&lanes_[0], "reason " + std::to_string(i));
  const std::string more = log_.take();
  EXPECT_EQ(std::ranges::count(more, '\n'), RedisStanding::reasons_max - 2);
  standing_.back(&lanes_[0]);
  standing_.back(&lanes_[1]);
  log_.take();
  standing_.away(&lanes_[0], "LOADING");
  EXPECT_EQ(log_.take(), "the store is away: LOADING\n");
}

TEST_F(RedisStandingTest, RefusalsAreTwoLines) {
  for (int i = 0; i < 3; ++i) {
    standing_.refuses(no_replicas, Deed::creates);
    clock_.advance(seconds{1});
    EXPECT_TRUE(standing_.has_refused());
    EXPECT_THAT(health().reasons, ElementsAre(HasSubstr("min-replicas-to-write")));
    standing_.made(standing_.look());  // Another one is refused soon.
    EXPECT_EQ(health().state, State::serving);
  }
  EXPECT_EQ(log_.take(),
            "Redis refuses changes, because too few replicas are connected to it "
            "(min-replicas-to-write): NOREPLICAS Not enough good replicas to write.\n");
  clock_.advance(seconds{3});
  standing_.look();
  EXPECT_EQ(log_.take(), "");
  EXPECT_TRUE(standing_.has_refused()) << "lanes that are busy look, too";
  clock_.advance(seconds{1});
  standing_.look();
  standing_.look();
  EXPECT_EQ(log_.take(), "Redis takes changes again; it last refused one 2.0 s after the first\n");
  EXPECT_FALSE(standing_.has_refused());
}

TEST_F(RedisStandingTest, ATrialThatIsOlderThanARefusalDoesNotEndIt) {
  const std::uint64_t before = standing_.look();
  standing_.refuses(oom, Deed::creates);
  standing_.made(before);
  EXPECT_EQ(health().state, State::refusing);
  standing_.made(standing_.look());
  EXPECT_EQ(health().state, State::serving);
}

TEST_F(RedisStandingTest, ARightThatOnlyAReadNeedsIsNotMissed) {
  constexpr const char* no_right =
      "NOPERM this user has no permissions to run the 'config' command";
  standing_.refuses(no_right, Deed::reads);
  EXPECT_EQ(log_.take(), "");
  standing_.refuses(no_right, Deed::changes);
  EXPECT_THAT(log_.take(), HasSubstr("lacks a right"));
}

TEST_F(RedisStandingTest, AnOutageHidesWhatWasRefusedBefore) {
  standing_.refuses(oom, Deed::creates);
  standing_.away(&lanes_[0], "Connection refused");
  EXPECT_THAT(health().reasons, ElementsAre("Redis is away: Connection refused"));
}

struct RefusalCase {
  const char* name;
  const char* text;
  State state;
  const char* reason;  ///< how it begins
};

class RedisRefusal : public RedisStandingTest, public testing::WithParamInterface<RefusalCase> {};

TEST_P(RedisRefusal, IsSaidInTheLogAndInHealth) {
  standing_.refuses(GetParam().text, Deed::changes);
  EXPECT_EQ(health().state, GetParam().state);
  if (health().state == State::serving) {
    EXPECT_EQ(log_.take(), "");
    return;
  }
  EXPECT_THAT(health().reasons, ElementsAre(StartsWith(GetParam().reason)));
  EXPECT_EQ(log_.take(), health().reasons.front() + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, RedisRefusal,
    testing::Values(
        RefusalCase{"Memory", oom, State::refusing,
                    "Redis has no memory for new transactions (maxmemory): OOM "},
        RefusalCase{"Disk", "MISCONF Redis is configured to save RDB snapshots, but it's currently",
                    State::recovering,
                    "Redis refuses changes, because it cannot save its data to its disk: MISCONF "},
        RefusalCase{"Replicas", no_replicas, State::recovering,
                    "Redis refuses changes, because too few replicas are connected to it "},
        RefusalCase{"Rights", "ERR ACL failure in script: User dtm has no permissions to run the",
                    State::recovering,
                    "Redis refuses changes, because its user lacks a right that the store needs"},
        RefusalCase{"Loading", "LOADING Redis is loading the dataset in memory", State::recovering,
                    "Redis refuses changes: LOADING "},
        RefusalCase{"Busy", "BUSY Redis is busy running a script.", State::recovering,
                    "Redis refuses changes: BUSY "},
        RefusalCase{"ClusterDown", "CLUSTERDOWN The cluster is down", State::recovering,
                    "Redis refuses changes: CLUSTERDOWN "},
        RefusalCase{"TryAgain", "TRYAGAIN Multiple keys request during rehashing of slot",
                    State::recovering, "Redis refuses changes: TRYAGAIN "},
        // The lane looks for another server, and says if there is none.
        RefusalCase{"ReadOnly", "READONLY You can't write against a read only replica.",
                    State::serving, ""},
        RefusalCase{"Moved", "MOVED 3999 10.0.0.2:6381", State::serving, ""},
        RefusalCase{"NoEntry", "NOAUTH Authentication required.", State::serving, ""}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::persist
