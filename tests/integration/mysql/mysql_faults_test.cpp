// What goes wrong between the store and its database.

#include <memory>

#include "mysql_faults_fixture.hpp"

namespace concerto::test {

TEST_F(MysqlFaults, IsBackWhenTheDatabaseIs) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.proxy().refuse(true);
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  EXPECT_EQ(commit(create(sample_saga("h"))), EngineErrc::store_busy);
  EXPECT_EQ(wait(under_test_.store().load(Gid{"g"})).error().code, EngineErrc::store_busy);
  under_test_.proxy().refuse(false);
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(sample_saga("h"))), error_code{});
}

// As wait_timeout does it.
TEST_F(MysqlFaults, AConnectionThatTheServerHasEndedCostsNoRequest) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  end_sessions();
  EXPECT_EQ(commit(create(sample_saga("h"))), error_code{});
}

TEST_F(MysqlFaults, ASessionThatIsKilledDuringItsGroupLosesNothing) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  MysqlClient other;
  other.sql("USE " + under_test_.settings().database.database);
  other.sql("BEGIN");
  other.sql("SELECT gid FROM trans_global WHERE gid = 'g' FOR UPDATE");
  Running running;
  std::vector<Change> changes;
  const Transaction second = sample_saga("h");
  changes.push_back(update("g", TransStatus::submitted, new_status(TransStatus::succeed, 9)));
  changes.push_back(create(second));
  start(running, std::move(changes));
  EXPECT_TRUE(comes_true([this] { return waits_for_lock(); }));
  end_sessions();
  other.sql("ROLLBACK");
  EXPECT_TRUE(comes_true([&running] { return running.have_ended(); }));
  // Killed before the commit: either it was tried again, or whoever asked may try again.
  for (const auto& code : running.codes) {
    EXPECT_TRUE(code == error_code{} || code == EngineErrc::store_busy) << *code;
  }
  const bool is_made = running.codes[0] == error_code{};
  EXPECT_EQ(one("SELECT status FROM trans_global WHERE gid = 'g'"),
            is_made ? "succeed" : "submitted");
}

TEST_F(MysqlFaults, AConflictIsNamedAlsoIfTheConnectionEndsWithIt) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.proxy().lose_next_answer_to({"ROLLBACK"});
  EXPECT_EQ(commit(create(sample_saga("g"))), EngineErrc::gid_exists);
  Ownership& other = *under_test_.other_store()->ownership();
  ASSERT_TRUE(wait(other.claim(Gid{"g"}, Claim::always)).value().is_ours);
  under_test_.proxy().lose_next_answer_to({"ROLLBACK"});
  EXPECT_EQ(commit(update("g", TransStatus::submitted, new_status(TransStatus::succeed, 9))),
            EngineErrc::lease_lost);
}

TEST_F(MysqlFaults, ADeadlockIsTriedAgain) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  MysqlClient other;
  other.sql("USE " + under_test_.settings().database.database);
  other.sql("BEGIN");
  // The server ends the transaction that has changed less.
  other.sql("INSERT INTO kv (cat, k, v) SELECT 'c', seq, '' FROM seq_1_to_500");
  other.sql("SELECT id FROM trans_branch_op WHERE gid = 'g' FOR UPDATE");
  Running running;
  std::vector<Change> changes;
  changes.push_back(update("g", TransStatus::submitted, outcome(1, BranchStatus::succeed, 5)));
  start(running, std::move(changes));
  EXPECT_TRUE(comes_true([this] { return waits_for_lock(); }));
  const std::string before = deadlocks();
  other.sql("SELECT gid FROM trans_global WHERE gid = 'g' FOR UPDATE");
  other.sql("COMMIT");
  expect_all_made(running);
  EXPECT_NE(deadlocks(), before);
}

TEST_F(MysqlFaults, RefusesForTheMomentWhileTheServerIsReadOnly) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.sql("SET GLOBAL read_only = 1");
  EXPECT_EQ(commit(create(sample_saga("h"))), EngineErrc::store_busy);
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  under_test_.sql("SET GLOBAL read_only = 0");
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(sample_saga("h"))), error_code{});
}

TEST_F(MysqlFaults, WaitsForAServerThatHasNoConnectionLeft) {
  const std::string usual = one("SELECT @@global.max_connections");
  under_test_.sql("SET GLOBAL max_connections = 10");
  under_test_.proxy().refuse(true);
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  EXPECT_TRUE(comes_true([this] { return sessions().empty(); }));
  std::vector<std::unique_ptr<MysqlClient>> others;
  try {
    while (others.size() < 20) others.push_back(std::make_unique<MysqlClient>());
  } catch (const std::runtime_error&) {  // there are no more
  }
  EXPECT_LT(others.size(), 20U);
  under_test_.proxy().refuse(false);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const Result<> refused = wait(under_test_.store().commit(create(sample_saga("g"))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EngineErrc::store_busy);
  others.clear();
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.sql("SET GLOBAL max_connections = " + usual);
}

TEST_F(MysqlFaults, ASlowServerIsWaitedFor) {
  under_test_.proxy().hold(true);
  std::thread later([this] {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    under_test_.proxy().hold(false);
  });
  EXPECT_EQ(commit(create(sample_saga("g"))), error_code{});
  later.join();
}

TEST_F(MysqlFaults, AGroupLongerThanAPacketIsSeveralPackets) {
  const std::string usual = one("SELECT @@global.max_allowed_packet");
  under_test_.sql("SET GLOBAL max_allowed_packet = 524288");
  under_test_.restart();
  std::vector<Transaction> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(sample_saga("g" + std::to_string(i)));
    all.back().payloads[0] = std::string(60'000, '\'');
  }
  std::vector<Change> changes;
  for (const Transaction& trans : all) changes.push_back(create(trans));
  EXPECT_EQ(commit_all(std::move(changes)), std::vector<error_code>(all.size()));
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op WHERE LENGTH(bin_data) = 60000"), "24");
  under_test_.sql("SET GLOBAL max_allowed_packet = " + usual);
}

}  // namespace concerto::test
