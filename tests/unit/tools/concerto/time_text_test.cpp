#include "time_text.hpp"

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

using std::chrono::seconds;

TEST(TimeText, ReadsTimesWithFractionsAndZones) {
  const auto utc = read_time("2026-11-30T03:05:42Z");
  ASSERT_TRUE(utc);
  EXPECT_EQ(std::chrono::floor<seconds>(*utc).time_since_epoch().count(), 1'796'007'942);
  EXPECT_EQ(read_time("2026-11-30T11:05:42+08:00"), utc);
  EXPECT_EQ(read_time("2026-11-29T22:05:42-05:00"), utc);
  EXPECT_EQ(*read_time("2026-11-30T03:05:42.000000007Z") - *utc, std::chrono::nanoseconds{7});
  for (const char* const wrong :
       {"", "2026-11-30", "2026-11-30T03:05:42", "2026-13-30T03:05:42Z", "2026-11-30T03:05:42+0800",
        "yesterday", "2026-02-30T03:05:42Z"}) {
    EXPECT_FALSE(read_time(wrong)) << wrong;
  }
}

TEST(TimeText, ReadsTheDateOfHttp) {
  EXPECT_EQ(read_http_date("Mon, 30 Nov 2026 03:05:42 GMT"), read_time("2026-11-30T03:05:42Z"));
  EXPECT_FALSE(read_http_date("30 Nov 2026"));
}

TEST(TimeText, LeavesFractionsOut) {
  EXPECT_EQ(to_the_second("2026-11-30T03:05:42.123Z"), "2026-11-30T03:05:42Z");
  EXPECT_EQ(to_the_second("2026-11-30T03:05:42.1+08:00"), "2026-11-30T03:05:42+08:00");
  EXPECT_EQ(to_the_second("no time"), "no time");
}

TEST(TimeText, WritesDurations) {
  EXPECT_EQ(duration_text(seconds{-5}), "0s");
  EXPECT_EQ(duration_text(seconds{59}), "59s");
  EXPECT_EQ(duration_text(seconds{192}), "3m12s");
  EXPECT_EQ(duration_text(seconds{3'600 * 5 + 180}), "5h03m");
  EXPECT_EQ(duration_text(seconds{86'400 * 12 + 3'600 * 4}), "12d04h");
}

TEST(TimeText, ReadsDurations) {
  EXPECT_EQ(read_duration("0").value(), seconds{0});
  EXPECT_EQ(read_duration("90s").value(), seconds{90});
  EXPECT_EQ(read_duration("5m").value(), seconds{300});
  EXPECT_EQ(read_duration("1h30m").value(), seconds{5'400});
  EXPECT_EQ(read_duration("3d").value(), seconds{259'200});
  for (const char* const wrong : {"", "s", "5", "1h30", "5x", "-5", "5 m", "1m1m", "30m1h", "1.5h",
                                  "99999999999999999999", "999999999d"}) {
    EXPECT_FALSE(read_duration(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace concerto::tools
