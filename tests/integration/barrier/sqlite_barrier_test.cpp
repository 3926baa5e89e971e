#include "barrier_contract.hpp"
#include "sqlite_bank.hpp"

namespace concerto::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, BarrierContract, testing::Values(&SqliteBank::open));

TEST(SqliteBarrier, ALockedDatabaseIsAnErrorThatMayPass) {
  const auto first = SqliteBank::open();
  const auto second = first->again();
  second->sql("pragma busy_timeout = 1");
  first->sql("begin immediate");
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  const Result<> refused = second->call(barrier, [] { return ok(); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Condition::retry_later);
}

}  // namespace
}  // namespace concerto::test
