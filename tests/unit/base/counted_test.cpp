#include <gtest/gtest.h>

#include <concerto/base/counted.hpp>

namespace concerto {
namespace {

TEST(Counted, OneThingHasNoPlural) {
  EXPECT_EQ(counted(0, "transaction"), "0 transactions");
  EXPECT_EQ(counted(1, "transaction"), "1 transaction");
  EXPECT_EQ(counted(2, "unfinished transaction"), "2 unfinished transactions");
  EXPECT_EQ(counted(1, "branch", "branches"), "1 branch");
  EXPECT_EQ(counted(2, "branch", "branches"), "2 branches");
}

}  // namespace
}  // namespace concerto
