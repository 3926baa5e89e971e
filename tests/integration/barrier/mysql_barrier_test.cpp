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

/// The default collation of most servers takes both gids for one.
TEST(MysqlBarrier, AGidThatTheTableTakesForAnotherOneLosesNoWork) {
  MysqlBank bank;
  const std::string gid = new_gid();
  const auto call = [&](const std::string& table, const std::string& of) {
    Barrier barrier = barrier_of("saga", of, "action");
    barrier.use_table(table);
    return barrier.call(bank.raw(), [] {});
  };
  bank.sql(
      "create table if not exists blind_barrier(trans_type varchar(45), gid varchar(128), "
      "branch_id varchar(128), op varchar(45), barrier_id varchar(45), reason varchar(45), "
      "unique key(gid, branch_id, op, barrier_id)) charset utf8mb4 collate utf8mb4_general_ci");
  bank.sql(mysql_barrier_table("made_barrier"));
  for (const char* table : {"blind_barrier", "made_barrier"}) {
    EXPECT_TRUE(call(table, "a" + gid));
    EXPECT_TRUE(call(table, "a" + gid));
    const Result<> blank = call(table, "a" + gid + " ");
    ASSERT_FALSE(blank);
    EXPECT_EQ(blank.error().code, BarrierErrc::database_failed);
  }
  EXPECT_FALSE(call("blind_barrier", "A" + gid));
  EXPECT_TRUE(call("made_barrier", "A" + gid));
}

TEST(MysqlBarrier, AnXidThatIsTooLongIsNamed) {
  MysqlBank bank;
  Barrier barrier = barrier_of("xa", std::string(64, 'g'), "action");
  const Result<> done = barrier.xa(bank.raw(), [] {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, "gid and branch_id '" + std::string(64, 'g') +
                                     "-01' are longer than the 64 bytes of an xid");
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
