#include "barrier_contract.hpp"
#include "postgres_bank.hpp"

namespace concerto::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Postgres, BarrierContract, testing::Values(&PostgresBank::open));
INSTANTIATE_TEST_SUITE_P(Postgres, XaContract, testing::Values(&PostgresBank::open));

/// PostgreSQL answers COMMIT with success and rolls back.
TEST(PostgresBarrier, AFailedStatementThatTheWorkForgetsIsAnError) {
  PostgresBank bank;
  const std::string gid = new_gid();
  Barrier barrier = barrier_of("saga", gid, "action");
  const Result<> done =
      barrier.call(bank.raw(), [&] { PQclear(PQexec(bank.raw(), "select * from no_such_table")); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, BarrierErrc::database_failed);
  EXPECT_EQ(bank.rows_of(gid), 0);
}

TEST(PostgresBarrier, ATransactionThatHasFailedIsNamedSo) {
  PostgresBank bank;
  bank.sql("begin");
  PQclear(PQexec(bank.raw(), "select * from no_such_table"));
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  for (const Error& error :
       {barrier.enter(bank.raw()).error(), barrier.call(bank.raw(), [] {}).error()}) {
    EXPECT_EQ(error.code, BarrierErrc::wrong_state);
    EXPECT_EQ(error.detail,
              "PostgreSQL: a statement of this transaction has failed; it can only be rolled back");
  }
}

TEST(PostgresBarrier, AFailedStatementIsNotPrepared) {
  PostgresBank bank;
  Barrier barrier = barrier_of("xa", new_gid(), "action");
  const Result<> done =
      barrier.xa(bank.raw(), [&] { PQclear(PQexec(bank.raw(), "select * from no_such_table")); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, BarrierErrc::database_failed);
}

TEST(PostgresBarrier, ABrokenConnectionAtTheCommitLeavesTheOutcomeOpen) {
  PostgresBank bank;
  PostgresBank other;
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  const Result<> done = barrier.call(bank.raw(), [&] {
    other.value("select pg_terminate_backend(" + std::to_string(PQbackendPID(bank.raw())) + ")");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, BarrierErrc::commit_unknown);
  EXPECT_EQ(done.error().code, Condition::outcome_unknown);
}

TEST(PostgresBarrier, ATableWithoutItsKeyIsAnError) {
  PostgresBank bank;
  bank.sql("create table if not exists keyless as select * from dtm_barrier.barrier limit 0");
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  barrier.use_table("keyless");
  const Result<> done = barrier.call(bank.raw(), [] {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, BarrierErrc::database_failed);
}

TEST(PostgresBarrier, TheTableThatWasMadeServes) {
  PostgresBank bank;
  const std::string gid = new_gid();
  for (int repeated = 0; repeated < 2; ++repeated) {
    bank.sql(postgres_barrier_table("made.made_barrier"));
    Barrier barrier = barrier_of("saga", gid, "action");
    barrier.use_table("made.made_barrier");
    EXPECT_TRUE(barrier.call(bank.raw(), [] {}));
  }
  EXPECT_EQ(bank.value("select count(*) from made.made_barrier where gid = '" + gid + "'"), "1");
}

}  // namespace
}  // namespace concerto::test
