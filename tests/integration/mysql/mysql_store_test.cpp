// What the contracts do not ask of the store on MySQL, or ask in a way of which this store can do
// more.

#include <thread>

#include <gmock/gmock.h>

#include "mysql_under_test.hpp"

namespace concerto::test {

using testing::HasSubstr;

class MysqlStore : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code commit(Change change) {
    const Result<> done = wait(under_test_.store().commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  /// Commits the changes at the same time, so that they share a group. Returns their errors.
  std::vector<error_code> commit_all(std::vector<Change> changes) {
    std::vector<error_code> codes(changes.size());
    std::size_t left = changes.size();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      asio::co_spawn(io_, under_test_.store().commit(std::move(changes[i])),
                     [&codes, &left, i](const std::exception_ptr&, const Result<>& done) {
                       if (!done) codes[i] = done.error().code;
                       --left;
                     });
    }
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    while (left > 0) io_.run_one();
    return codes;
  }
  std::string one(const std::string& statement) { return under_test_.sql(statement).at(0).at(0); }

  asio::io_context io_{1};
  MysqlUnderTest under_test_{MysqlUnderTest::Layout::own};
};

TEST_F(MysqlStore, TakesThePayloadsThatTheReferencesColumnHolds) {
  Transaction saga = sample_saga("fits");
  saga.payloads[0] = std::string(65'535, '\'');
  EXPECT_EQ(commit(create(saga)), error_code{});
  EXPECT_EQ(wait(under_test_.store().load(Gid{"fits"})).value()->payloads, saga.payloads);
  saga.gid = Gid{"too-large"};
  saga.payloads[0] += '\'';
  EXPECT_EQ(commit(create(saga)), Errc::invalid_request);
}

TEST_F(MysqlStore, AConflictInAGroupFailsItsOwnTransactionAlone) {
  std::vector<Transaction> all;
  for (int i = 0; i < 20; ++i) all.push_back(sample_saga("g" + std::to_string(i)));
  ASSERT_EQ(commit(create(all[3])), error_code{});
  ASSERT_EQ(commit(create(all[7])), error_code{});
  std::vector<Change> changes;
  for (const Transaction& trans : all) changes.push_back(create(trans));
  const std::vector<error_code> created = commit_all(std::move(changes));
  changes.clear();
  for (const Transaction& trans : all) {
    // Every fifth one expects a status that the row does not have.
    const bool is_wrong = changes.size() % 5 == 0;
    changes.push_back(update(trans.gid.str(),
                             is_wrong ? TransStatus::prepared : TransStatus::submitted,
                             new_status(TransStatus::aborting, 9)));
  }
  const std::vector<error_code> changed = commit_all(std::move(changes));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const error_code exists =
        i == 3 || i == 7 ? make_error_code(EngineErrc::gid_exists) : error_code{};
    EXPECT_EQ(created[i], exists) << i;
    const error_code mismatch =
        i % 5 == 0 ? make_error_code(EngineErrc::status_mismatch) : error_code{};
    EXPECT_EQ(changed[i], mismatch) << i;
  }
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op"), "80");
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global WHERE status = 'aborting'"), "16");
}

TEST_F(MysqlStore, ALeaseThatIsLostFailsItsOwnChangeOfAGroupAlone) {
  std::vector<Change> changes;
  for (int i = 0; i < 12; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_EQ(commit(create(sample_saga(gid))), error_code{});
    changes.push_back(update(gid, TransStatus::submitted, new_status(TransStatus::succeed, 9)));
  }
  Ownership& other = *under_test_.other_store()->ownership();
  for (const char* gid : {"g2", "g5"}) {
    ASSERT_TRUE(wait(other.claim(Gid{gid}, Claim::always)).value().is_ours);
  }
  const std::vector<error_code> codes = commit_all(std::move(changes));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const error_code lost =
        i == 2 || i == 5 ? make_error_code(EngineErrc::lease_lost) : error_code{};
    EXPECT_EQ(codes[i], lost) << i;
  }
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global WHERE status = 'succeed'"), "10");
}

TEST_F(MysqlStore, AChangeThatChangesNoValueCountsAsMade) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  const Change same = update("g", TransStatus::submitted, outcome(1, BranchStatus::succeed, 5));
  EXPECT_EQ(commit(same), error_code{});
  EXPECT_EQ(commit(same), error_code{});
}

TEST_F(MysqlStore, TimesAreTheWallClockOfTheConfiguredZone) {
  const Transaction saga = sample_saga("g");
  ASSERT_EQ(commit(create(saga)), error_code{});
  // 1,700,000,000 is 22:13:20 in UTC, and the store's zone is five hours east of it.
  EXPECT_EQ(one("SELECT create_time FROM trans_global"), "2023-11-15 03:13:20");
  EXPECT_EQ(one("SELECT next_cron_time > UTC_TIMESTAMP() + INTERVAL 5 HOUR AND next_cron_time <"
                " UTC_TIMESTAMP() + INTERVAL 301 MINUTE FROM trans_global"),
            "1");
}

TEST_F(MysqlStore, LeavesTheColumnsOfTheReferenceAsItsServersExpectThem) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  EXPECT_EQ(under_test_.sql("SELECT query_prepared, ext_data, protocol FROM trans_global"),
            (std::vector<std::vector<std::string>>{{"", "", "grpc"}}));
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op WHERE data IS NULL"), "4");
}

TEST_F(MysqlStore, NamesWhatATakenOverDatabaseLacks) {
  under_test_.sql("ALTER TABLE trans_global DROP COLUMN rollback_reason");
  under_test_.sql("ALTER TABLE trans_branch_op DROP KEY gid_uniq");
  const auto opened = under_test_.try_open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("trans_global.rollback_reason"));
  EXPECT_THAT(opened.error().detail, HasSubstr("trans_branch_op.key gid_uniq"));
}

TEST_F(MysqlStore, ResetCreatesTheDatabaseAndEmptiesTheTables) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  const persist::StoreKinds kinds = persist::StoreKinds::standard();
  const persist::StoreKind& kind = *kinds.find("mysql");
  ASSERT_TRUE(kind.drop(under_test_.settings()));
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global"), "0");
  persist::StoreSettings missing = under_test_.settings();
  missing.database.database = "test_missing";
  const Result<> created = kind.drop(missing);
  ASSERT_TRUE(created) << created.error().detail;
  EXPECT_EQ(one("SELECT COUNT(*) FROM test_missing.trans_global"), "0");
  under_test_.sql("DROP DATABASE test_missing");
}

TEST_F(MysqlStore, IsBackWhenTheDatabaseIs) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.proxy().refuse(true);
  // A change whose answer is lost would wait until the database can tell: let connections end
  // first.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(commit(create(sample_saga("h"))), EngineErrc::store_busy);
  under_test_.proxy().refuse(false);
  error_code created = make_error_code(EngineErrc::store_busy);
  for (int i = 0; i < 100 && created == EngineErrc::store_busy; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    created = commit(create(sample_saga("h")));
  }
  EXPECT_EQ(created, error_code{});
}

}  // namespace concerto::test
