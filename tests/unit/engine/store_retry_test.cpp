#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "retry.hpp"

namespace concerto::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(StoreRetry, PausesGrowUpToASecondUntilThePatienceIsOver) {
  SeededRandom random{1};
  StoreRetry retry(seconds(10));
  SteadyTime now{seconds(5)};
  const SteadyTime begin = now;
  milliseconds most{50};
  int tries = 0;
  while (const auto at = retry.next(now, random)) {
    EXPECT_GE(*at - now, most / 2) << tries;
    EXPECT_LT(*at - now, most) << tries;
    now = *at;
    most = std::min(2 * most, milliseconds(1000));
    ++tries;
  }
  EXPECT_LE(now - begin, seconds(10));
  EXPECT_GT(now - begin, seconds(9));
  EXPECT_GT(tries, 10);
}

TEST(StoreRetry, ThePatienceForANewTransactionAllowsAFewTries) {
  SeededRandom random{1};
  StoreRetry retry(new_trans_patience);
  SteadyTime now{};
  int tries = 0;
  while (const auto at = retry.next(now, random)) {
    now = *at;
    ++tries;
  }
  EXPECT_GE(tries, 2);
  EXPECT_LE(tries, 4);
}

}  // namespace
}  // namespace concerto::test
