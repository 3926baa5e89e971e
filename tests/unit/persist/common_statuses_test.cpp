#include "sql/common_statuses.hpp"

#include <gtest/gtest.h>

namespace concerto::persist {
namespace {

TEST(CommonStatuses, AreKnownForAWhileAndOneSetIsNotAnother) {
  const CommonStatuses::Clock::time_point begun{};
  CommonStatuses common;
  EXPECT_FALSE(common.contains({"succeed"}, begun));
  common.add({"succeed"}, begun);
  const auto last = begun + CommonStatuses::life - std::chrono::nanoseconds{1};
  EXPECT_TRUE(common.contains({"succeed"}, last));
  EXPECT_FALSE(common.contains({"succeed", "failed"}, last));
  EXPECT_FALSE(common.contains({}, last));
  EXPECT_FALSE(common.contains({"succeed"}, begun + CommonStatuses::life));
  common.add({"succeed"}, last);
  EXPECT_TRUE(common.contains({"succeed"}, begun + CommonStatuses::life));
}

}  // namespace
}  // namespace concerto::persist
