#include "line_limit.hpp"

#include <gtest/gtest.h>

namespace concerto {
namespace {

constexpr SteadyTime start{};

TEST(LineLimit, AdmitsAFewLinesAboutOneThingAndCountsTheOthers) {
  LineLimit limit;
  std::size_t admitted = 0;
  for (int i = 0; i < 1'000; ++i) admitted += limit.admits("http://a", start) ? 1U : 0U;
  EXPECT_EQ(admitted, LineLimit::lines_max);
  EXPECT_TRUE(limit.admits("http://b", start));
  EXPECT_EQ(limit.next_end(), start + LineLimit::window);
  EXPECT_TRUE(limit.end_windows(start + LineLimit::window / 2).empty());
  const auto left_out = limit.end_windows(start + LineLimit::window);
  ASSERT_EQ(left_out.size(), 1U);
  EXPECT_EQ(left_out.front().thing, "http://a");
  EXPECT_EQ(left_out.front().lines, 1'000 - LineLimit::lines_max);
  EXPECT_EQ(limit.next_end(), SteadyTime::max());
  EXPECT_TRUE(limit.admits("http://a", start + LineLimit::window));
}

TEST(LineLimit, AdmitsOneLineAboutAThingIfThatIsItsLimit) {
  LineLimit limit;
  EXPECT_TRUE(limit.admits("changes", start, 1));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(limit.admits("changes", start, 1));
  EXPECT_TRUE(limit.admits("http://a", start));
  EXPECT_TRUE(limit.admits("http://a", start));
  const auto left_out = limit.end_windows(start + LineLimit::window);
  ASSERT_EQ(left_out.size(), 1U);
  EXPECT_EQ(left_out.front().thing, "changes");
  EXPECT_EQ(left_out.front().lines, 9U);
}

TEST(LineLimit, CountsAllThingsBeyondItsLimitAsOne) {
  LineLimit limit;
  std::size_t admitted = 0;
  for (std::size_t i = 0; i < 10 * LineLimit::things_max; ++i) {
    admitted += limit.admits("thing " + std::to_string(i), start) ? 1U : 0U;
  }
  EXPECT_EQ(admitted, LineLimit::things_max + LineLimit::lines_max);
  const auto left_out = limit.end_windows(start + LineLimit::window);
  ASSERT_EQ(left_out.size(), 1U);
  EXPECT_EQ(left_out.front().thing, "");
  EXPECT_EQ(left_out.front().lines, 9 * LineLimit::things_max - LineLimit::lines_max);
}

}  // namespace
}  // namespace concerto
