#include "api/time_text.hpp"

#include <random>

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

// 2026-11-23T05:35:16Z
constexpr WallTime noon{std::chrono::seconds{1795412116}};

struct TimeCase {
  const char* name;
  WallTime time;
  std::chrono::minutes offset;
  const char* want;
};

void PrintTo(const TimeCase& row, std::ostream* out) {
  *out << row.name;
}

class TimeText : public testing::TestWithParam<TimeCase> {};

TEST_P(TimeText, IsRfc3339) {
  EXPECT_EQ(format_time(GetParam().time, GetParam().offset), GetParam().want);
  EXPECT_EQ(time_from(GetParam().want), GetParam().time);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TimeText,
    testing::Values(
        TimeCase{"WholeSecond", noon, 0min, "2026-11-23T05:35:16Z"},
        TimeCase{"Nanoseconds", noon + 47188302ns, 0min, "2026-11-23T05:35:16.047188302Z"},
        TimeCase{"ZerosAreCut", noon + 415497240ns, 0min, "2026-11-23T05:35:16.41549724Z"},
        TimeCase{"OneDigit", noon + 500ms, 0min, "2026-11-23T05:35:16.5Z"},
        TimeCase{"SecondsKeepTheirZero", noon + 4s, 0min, "2026-11-23T05:35:20Z"},
        TimeCase{"East", noon, 480min, "2026-11-23T13:35:16+08:00"},
        TimeCase{"WestOverMidnight", noon + 1ns, -570min, "2026-11-22T20:05:16.000000001-09:30"},
        TimeCase{"LeapDay", WallTime{std::chrono::seconds{1709164800}}, 0min,
                 "2024-02-29T00:00:00Z"},
        TimeCase{"Before1970", WallTime{-1ns}, 0min, "1969-12-31T23:59:59.999999999Z"}),
    [](const auto& row) { return row.param.name; });

TEST(TimeText, IsReadAsItWasWritten) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random{seed};
    constexpr std::int64_t most = std::int64_t{9} * 1'000'000'000'000'000'000;
    std::uniform_int_distribution<std::int64_t> instants{-most, most};
    std::uniform_int_distribution<int> zones{-14 * 60, 14 * 60};
    const WallTime time{std::chrono::nanoseconds{instants(random)}};
    const std::string text = format_time(time, std::chrono::minutes{zones(random)});
    EXPECT_EQ(time_from(text), time) << "seed " << seed << ": " << text;
  }
}

TEST(TimeText, BeyondWhatIsHeldIsTheNearest) {
  const auto read_back = [](const char* text) {
    return format_time(time_from(text).value_or(WallTime{}), 0min);
  };
  EXPECT_EQ(read_back("0001-01-01T00:00:00Z"), "1677-09-23T00:00:00Z");
  EXPECT_EQ(read_back("1677-09-22T23:59:59.9Z"), "1677-09-23T00:00:00Z");
  EXPECT_EQ(read_back("1677-09-23T00:00:00.1Z"), "1677-09-23T00:00:00.1Z");
  EXPECT_EQ(read_back("2262-04-09T23:59:59.9Z"), "2262-04-09T23:59:59.9Z");
  EXPECT_EQ(read_back("2262-04-10T00:00:00.1Z"), "2262-04-10T00:00:00Z");
  EXPECT_EQ(read_back("9999-12-31T23:59:59.999999999Z"), "2262-04-10T00:00:00Z");
}

TEST(TimeText, IsNoOtherText) {
  for (const char* text :
       {"", "2026", "2026-11-23T05:35:16", "2026-11-23 05:35:16Z", "2026-11-23T05:35:16z",
        "2026-13-23T05:35:16Z", "2026-02-29T05:35:16Z", "2026-11-23T24:35:16Z",
        "2026-11-23T05:60:16Z", "2026-11-23T05:35:60Z", "2026-11-23T05:35:16.Z",
        "2026-11-23T05:35:16.0123456789Z", "2026-11-23T05:35:16+8:00", "2026-11-23T05:35:16+08:00 ",
        "2026-11-23T05:35:16+08-00", "x026-11-23T05:35:16Z"}) {
    EXPECT_EQ(time_from(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace concerto::net
