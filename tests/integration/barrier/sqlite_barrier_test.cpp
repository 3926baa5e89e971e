#include "barrier_contract.hpp"
#include "sqlite_bank.hpp"

namespace concerto::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Sqlite, BarrierContract, testing::Values(&SqliteBank::open));

/// The code of docs/barrier.md.
Result<> pay(sqlite3* connection, Barrier& barrier) {
  sqlite3_exec(connection, "begin immediate", nullptr, nullptr, nullptr);
  const auto entry = barrier.enter(connection);
  if (entry && *entry == BarrierEntry::run) {
    sqlite3_exec(connection, "update account set balance = 7", nullptr, nullptr, nullptr);
  }
  sqlite3_exec(connection, entry ? "commit" : "rollback", nullptr, nullptr, nullptr);
  return entry ? ok() : Result<>(entry.error());
}

TEST(SqliteBarrier, TheGuidesTransactionEndsAndCounts) {
  SqliteBank bank(SqliteBank::new_database());
  bank.open_account("a");
  const std::string gid = new_gid();
  for (int repeated = 0; repeated < 2; ++repeated) {
    Barrier barrier = barrier_of("saga", gid, "action");
    EXPECT_TRUE(pay(bank.raw(), barrier));
    EXPECT_EQ(bank.balance("a"), repeated == 0 ? 7 : 0);
    bank.sql("update account set balance = 0");
  }
}

template <class T>
void expect_wrong_state(const Result<T>& result, const char* detail) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, BarrierErrc::wrong_state);
  EXPECT_EQ(result.error().detail, detail);
}

TEST(SqliteBarrier, NoConnectionIsAnError) {
  sqlite3* const none = nullptr;
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  constexpr const char* detail = "the connection is a null pointer";
  expect_wrong_state(barrier.call(none, [] {}), detail);
  expect_wrong_state(barrier.enter(none), detail);
  expect_wrong_state(barrier.query_prepared(none), detail);
}

/// Its rows would be those of an empty gid, and all work with it would be done already.
TEST(SqliteBarrier, ABarrierThatWasMovedAwayIsAnError) {
  SqliteBank bank(SqliteBank::new_database());
  Barrier barrier = barrier_of("saga", new_gid(), "action");
  Barrier moved = std::move(barrier);
  constexpr const char* detail = "the barrier was moved to another object";
  expect_wrong_state(barrier.call(bank.raw(), [] {}), detail);  // NOLINT: that is the mistake
  SqliteConnection connection(bank.raw());
  expect_wrong_state(barrier.call(connection, [] {}), detail);  // NOLINT
  EXPECT_TRUE(moved.call(bank.raw(), [] {}));
}

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
