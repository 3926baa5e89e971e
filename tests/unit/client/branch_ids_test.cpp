#include <gtest/gtest.h>

#include <concerto/client/branch_ids.hpp>
#include <concerto/client/client_error.hpp>

namespace concerto::client {
namespace {

TEST(BranchIds, CountFromOneTo99) {
  BranchIds ids;
  EXPECT_EQ(*ids.next(), "01");
  for (int at = 2; at < 99; ++at) ASSERT_TRUE(ids.next());
  EXPECT_EQ(*ids.next(), "99");
  EXPECT_EQ(ids.next().error().code, ClientErrc::not_sendable);
}

TEST(BranchIds, StandBehindTheParent) {
  BranchIds ids{"02"};
  EXPECT_EQ(*ids.next(), "0201");
  EXPECT_EQ(*ids.next(), "0202");
}

TEST(BranchIds, HaveALimitedDepth) {
  BranchIds deep{std::string(18, '1')};
  EXPECT_TRUE(deep.next());
  BranchIds too_deep{std::string(20, '1')};
  EXPECT_EQ(too_deep.next().error().code, ClientErrc::not_sendable);
}

}  // namespace
}  // namespace concerto::client
