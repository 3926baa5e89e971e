// Branches of XA: prepared on one connection, ended on another.
#include "barrier_contract.hpp"

namespace concerto::test {
namespace {

// A build may have no database with XA.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(XaContract);

TEST_P(XaContract, APreparedBranchIsCommittedByAnotherConnection) {
  ASSERT_TRUE(prepare());
  EXPECT_EQ(balance(), 0);
  for (int repeated = 0; repeated < 2; ++repeated) {
    const auto committed = xa(*bank_, "commit");
    EXPECT_TRUE(committed) << committed.error().detail;
    EXPECT_EQ(balance(), 1);
  }
}

TEST_P(XaContract, APreparedBranchIsRolledBackByAnotherConnection) {
  ASSERT_TRUE(prepare());
  for (int repeated = 0; repeated < 2; ++repeated) {
    const auto rolled_back = xa(*bank_, "rollback");
    EXPECT_TRUE(rolled_back) << rolled_back.error().detail;
  }
  EXPECT_EQ(balance(), 0);
}

TEST_P(XaContract, AnActionAfterItsRollbackPreparesNothing) {
  ASSERT_TRUE(xa(*bank_, "rollback"));
  const Result<> late = xa(*bank_, "action");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, BarrierErrc::duplicated);
  EXPECT_TRUE(xa(*bank_, "commit"));  // There is nothing to commit.
  EXPECT_EQ(balance(), 0);
}

TEST_P(XaContract, AnActionThatRefusesPreparesNothing) {
  Barrier barrier = barrier_of("xa", gid_, "action");
  const Result<> refused = bank_->xa(barrier, [&] {
    bank_->add(account_, 1);
    return branch_failure("no");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, BarrierErrc::failure);
  EXPECT_EQ(bank_->rows_of(gid_), 0);
  ASSERT_TRUE(xa(*bank_, "action"));  // The connection can still be used.
  ASSERT_TRUE(xa(*bank_, "commit"));
  EXPECT_EQ(balance(), 1);
}

TEST_P(XaContract, XaHasThreeOps) {
  const Result<> refused = xa(*bank_, "confirm");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_request);
}

}  // namespace
}  // namespace concerto::test
