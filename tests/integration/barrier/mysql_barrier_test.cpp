#include "barrier_contract.hpp"
#include "mysql_bank.hpp"

namespace concerto::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Mysql, BarrierContract, testing::Values(&MysqlBank::open));
INSTANTIATE_TEST_SUITE_P(Mysql, XaContract, testing::Values(&MysqlBank::open));

/// A deadlock ends the transaction of the one that is chosen, which may overlook the error.
TEST(MysqlBarrier, ADeadlockThatTheWorkForgetsIsAnError) {
  MysqlBank bank;
  MysqlBank other;
  const std::string gid = new_gid();
  bank.open_account("a" + gid);
  bank.open_account("b" + gid);
  // The other transaction has changed more, so that this one is chosen.
  other.sql("begin");
  for (int i = 0; i < 50; ++i) other.open_account(gid + std::to_string(i));
  other.add("a" + gid, 1);
  Barrier barrier = barrier_of("saga", gid, "action");
  const Result<> done = barrier.call(bank.raw(), [&] {
    bank.add("b" + gid, 1);
    const std::string wait = "update account set balance = 9 where name = 'b" + gid + "'";
    ASSERT_EQ(mysql_send_query(other.raw(), wait.data(), wait.size()), 0);
    EXPECT_THROW(bank.add("a" + gid, 1), std::runtime_error);
  });
  mysql_read_query_result(other.raw());
  other.sql("rollback");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, BarrierErrc::wrong_state);
  EXPECT_EQ(bank.rows_of(gid), 0);
}

TEST(MysqlBarrier, AnErrorThatTheWorkExpectsIsNone) {
  MysqlBank bank;
  const std::string gid = new_gid();
  bank.open_account(gid);
  Barrier barrier = barrier_of("saga", gid, "action");
  EXPECT_TRUE(barrier.call(bank.raw(), [&] {
    bank.add(gid, 1);
    EXPECT_THROW(bank.open_account(gid), std::runtime_error);
  }));
  EXPECT_EQ(bank.balance(gid), 1);
}

/// MariaDB says "unknown" of what another session has prepared and still holds.
TEST(MysqlBarrier, ABranchThatItsSessionHoldsIsNotTakenForEnded) {
  MysqlBank bank;
  MysqlBank other;
  const std::string gid = new_gid();
  bank.open_account(gid);
  const std::string xid = "'" + gid + "-01'";
  bank.sql("xa start " + xid);
  bank.add(gid, 1);
  bank.sql("xa end " + xid);
  bank.sql("xa prepare " + xid);
  Barrier barrier = barrier_of("xa", gid, "commit");
  const Result<> held = other.xa(barrier, [] { return ok(); });
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Condition::retry_later);
  bank.sql("xa commit " + xid);
  EXPECT_TRUE(other.xa(barrier, [] { return ok(); }));
}

TEST(MysqlBarrier, SessionsWithoutAutocommitBeginByThemselves) {
  MysqlBank bank;
  bank.sql("set autocommit = 0");
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  const auto entry = barrier.enter(bank.raw());
  bank.sql("commit");
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, BarrierEntry::run);
}

TEST(MysqlBarrier, TheTableThatWasMadeServes) {
  MysqlBank bank;
  const std::string gid = new_gid();
  for (int repeated = 0; repeated < 2; ++repeated) {
    bank.sql(mysql_barrier_table("made_barrier"));
    Barrier barrier = barrier_of("saga", gid, "action");
    barrier.use_table("made_barrier");
    EXPECT_TRUE(barrier.call(bank.raw(), [] {}));
  }
  EXPECT_EQ(bank.value("select count(*) from made_barrier where gid = '" + gid + "'"), "1");
}

}  // namespace
}  // namespace concerto::test
