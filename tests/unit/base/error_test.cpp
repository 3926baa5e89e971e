#include <gtest/gtest.h>

#include <concerto/base/error.hpp>

namespace concerto {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) {
    return make_error(Errc::invalid_request, "value " + std::to_string(value) + " is odd");
  }
  return value / 2;
}

Result<int> quarter(int value) {
  CONCERTO_TRY(const int once, half(value));
  return half(once);
}

Result<> check(int value) {
  CONCERTO_CHECK(quarter(value));
  return ok();
}

TEST(Error, IsReturnedByTheMacros) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().detail, "value 3 is odd");
  EXPECT_TRUE(check(4));
  EXPECT_EQ(check(5).error().detail, "value 5 is odd");
}

TEST(Error, EveryCodeHasOneCondition) {
  for (int value = 1; value <= static_cast<int>(Errc::deadline_exceeded); ++value) {
    const error_code code = static_cast<Errc>(value);
    const int matches = (code == Condition::rejected) + (code == Condition::retry_later) +
                        (code == Condition::outcome_unknown);
    EXPECT_EQ(matches, 1) << code.message();
    EXPECT_NE(code.message(), "unknown error");
  }
}

}  // namespace
}  // namespace concerto
