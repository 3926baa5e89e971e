#include "refused_attempts.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "fake_clock.hpp"

namespace concerto::tools {
namespace {

using testing::HasSubstr;

class RefusedAttemptsTest : public testing::Test {
 protected:
  /// Whether the attempt has a record.
  bool attempt(const std::string& sender) {
    const auto judged = attempts_.judge(sender, clock_.steady_now(), clock_.wall_now());
    if (judged.is_recorded) attempts_.note_written(sender, 4'096);
    if (!judged.line.empty()) lines_.push_back(judged.line);
    return judged.is_recorded;
  }
  /// How many of 100 attempts in 20 seconds have a record.
  int flood(const std::string& sender) {
    int recorded = 0;
    for (int i = 0; i < 100; ++i) {
      if (i % 5 == 0) clock_.advance(std::chrono::seconds(1));
      if (attempt(sender)) ++recorded;
    }
    return recorded;
  }
  void use_up_the_day() {
    for (char sender = 'a'; sender < 'i'; ++sender) flood(std::string(1, sender));
  }

  test::FakeClock clock_;
  RefusedAttempts attempts_{"caller", 16};
  std::vector<std::string> lines_;
};

TEST_F(RefusedAttemptsTest, OfOneSenderTakeAPartOfTheBudget) {
  EXPECT_EQ(flood("flood"), 8);
  EXPECT_EQ(flood("other"), 8);
  ASSERT_EQ(lines_.size(), 2U) << "one for each sender in an hour";
  EXPECT_THAT(lines_[0], HasSubstr("refused attempts of caller flood are not recorded any more"));
  clock_.advance(RefusedAttempts::record_interval);
  flood("flood");
  EXPECT_EQ(lines_.size(), 3U);
}

TEST_F(RefusedAttemptsTest, HaveARecordOfEachSenderInAnHourWhateverIsUsedUp) {
  use_up_the_day();
  EXPECT_TRUE(attempt("new"));
  EXPECT_FALSE(attempt("new"));
  EXPECT_FALSE(attempt("a"));
  clock_.advance(RefusedAttempts::record_interval);
  EXPECT_TRUE(attempt("new"));
  EXPECT_TRUE(attempt("a"));
  EXPECT_FALSE(attempt("a"));
  EXPECT_EQ(std::count_if(lines_.begin(), lines_.end(),
                          [](const std::string& line) {
                            return line.find("the bytes of a day for each caller") !=
                                   std::string::npos;
                          }),
            1)
      << "once a day";
}

TEST_F(RefusedAttemptsTest, DoNotWaitForTheSecondOfOthers) {
  clock_.advance(std::chrono::seconds(1));
  for (std::size_t i = 0; i < 2 * RefusedAttempts::records_per_second_max; ++i) {
    EXPECT_EQ(attempts_.judge("flood", clock_.steady_now(), clock_.wall_now()).is_recorded,
              i < RefusedAttempts::records_per_second_max);
  }
  EXPECT_TRUE(attempt("other"));
}

TEST_F(RefusedAttemptsTest, OfMoreSendersThanAreKnownCountAsOne) {
  use_up_the_day();
  int recorded = 0;
  for (int i = 0; i < 1'000; ++i) recorded += attempt("sender " + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(recorded, 16 - 8 + 1);
  EXPECT_LE(lines_.size(), RefusedAttempts::lines_per_hour_max + 1);
}

TEST_F(RefusedAttemptsTest, HaveANewBudgetOnTheNextDay) {
  use_up_the_day();
  EXPECT_EQ(flood("a"), 0);
  clock_.step_wall(std::chrono::hours(24));
  EXPECT_EQ(flood("a"), 8);
}

TEST(RefusedAttempts, AreOfACallerOrOfANetwork) {
  const auto sender = [](const std::string& caller, const std::string& from) {
    net::AuditRecord record;
    record.caller = caller;
    record.from = from;
    return RefusedAttempts::sender_of(record);
  };
  EXPECT_EQ(sender("shop", "10.0.0.7:1"), "shop");
  EXPECT_EQ(sender("", "10.0.0.7:51234"), "10.0.0.7");
  EXPECT_EQ(sender("", "10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(sender("", "[fd00::1:2:3:4]:1"), "fd00::/64");
  EXPECT_EQ(sender("", "fd00::5"), "fd00::/64");
  EXPECT_EQ(sender("", "[::ffff:10.0.0.7]:1"), "::ffff:10.0.0.7");
  EXPECT_EQ(sender("", ""), "");
}

}  // namespace
}  // namespace concerto::tools
