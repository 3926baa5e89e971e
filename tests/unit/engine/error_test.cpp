#include <gtest/gtest.h>

#include <concerto/engine/error.hpp>

namespace concerto {
namespace {

TEST(EngineErrc, EveryCodeHasOneConditionAndAText) {
  for (int value = 1; value <= static_cast<int>(EngineErrc::store_damaged); ++value) {
    const error_code code = static_cast<EngineErrc>(value);
    const int matches = (code == Condition::rejected) + (code == Condition::retry_later) +
                        (code == Condition::outcome_unknown);
    EXPECT_EQ(matches, 1) << code.message();
    EXPECT_NE(code.message(), "unknown error");
  }
}

TEST(EngineErrc, DiffersFromTheGeneralErrorOfTheSameNumber) {
  const error_code own = EngineErrc::trans_not_found;
  const error_code general = Errc::invalid_request;
  EXPECT_EQ(own.value(), general.value());
  EXPECT_NE(own, general);
}

}  // namespace
}  // namespace concerto
