// What the contracts do not ask of the store on MySQL, or ask in a way of which this store can do
// more.

#include <gmock/gmock.h>

#include "mysql_store_fixture.hpp"

namespace concerto::test {

using testing::HasSubstr;

TEST_F(MysqlStore, TakesThePayloadsThatTheReferencesColumnHolds) {
  Transaction saga = sample_saga("fits");
  saga.payloads[0] = std::string(65'535, '\'');
  EXPECT_EQ(commit(create(saga)), error_code{});
  EXPECT_EQ(wait(under_test_.store().load(Gid{"fits"})).value()->payloads, saga.payloads);
  saga.gid = Gid{"too-large"};
  saga.payloads[0] += '\'';
  const Result<> refused = wait(under_test_.store().commit(create(saga)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_request);
  EXPECT_THAT(refused.error().detail,
              HasSubstr("branch '01', op 'compensate', has 65536 bytes, and the column bin_data of "
                        "this store holds 65535"));
  EXPECT_EQ(wait(under_test_.store().load(Gid{"too-large"})).value(), std::nullopt);
}

TEST_F(MysqlStore, GidsThatDifferInCaseAreTwoAlsoInTablesOfTheReference) {
  for (const char* gid : {"gid", "Gid"}) EXPECT_EQ(commit(create(sample_saga(gid))), error_code{});
  MysqlUnderTest shared(MysqlUnderTest::Layout::reference);
  EXPECT_TRUE(wait(shared.store().commit(create(sample_saga("gid")))));
  const Result<> second = wait(shared.store().commit(create(sample_saga("Gid"))));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EngineErrc::gid_exists);
  EXPECT_EQ(wait(shared.store().load(Gid{"Gid"})).value(), std::nullopt);
  Ownership& ownership = *shared.store().ownership();
  EXPECT_EQ(wait(ownership.claim(Gid{"Gid"}, Claim::always)).value().trans, std::nullopt);
  EXPECT_EQ(wait(ownership.renew({Gid{"Gid"}})).value(), std::vector<Gid>{Gid{"Gid"}});
}

// Protocol page 07, section 6.
TEST_F(MysqlStore, TakesOverWhatTheReferenceHasStored) {
  under_test_.sql(
      "INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time,"
      " update_time, options, custom_data, next_cron_interval, next_cron_time, owner, ext_data)"
      " VALUES ('g', 'tcc', 'submitted', '', 'http', '2026-11-28 20:04:05', NOW(),"
      " '{\"wait_result\":true,\"concurrent\":false}', '', 10,"
      " UTC_TIMESTAMP() + INTERVAL 5 HOUR - INTERVAL 1 SECOND, 'UU4yPVVoCv45FJaCRigbGk', '')");
  under_test_.sql(
      "INSERT INTO trans_branch_op (gid, url, bin_data, branch_id, op, status, create_time)"
      " VALUES ('g', 'http://b/cancel', '{}', '01', 'cancel', 'prepared', NOW()),"
      " ('g', 'http://b/confirm', '{}', '01', 'confirm', 'prepared', NOW())");
  const auto claimed = wait(under_test_.store().ownership()->claim_due(10)).value();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed.front().type, TransType::tcc);
  EXPECT_EQ(claimed.front().create_time, WallTime{std::chrono::seconds{1'795'878'245}});
  EXPECT_EQ(claimed.front().payloads, std::vector<std::string>{"{}"});
  TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  delta.status = TransStatus::succeed;
  ASSERT_EQ(commit(update("g", TransStatus::submitted, delta)), error_code{});
  EXPECT_EQ(one("SELECT CONCAT(status, ' ', options) FROM trans_global"),
            R"(succeed {"wait_result":true,"concurrent":false})");
  EXPECT_EQ(one("SELECT GROUP_CONCAT(op, ' ', status ORDER BY id) FROM trans_branch_op"),
            "cancel prepared,confirm succeed");
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

TEST_F(MysqlStore, TheResultOfOneBranchReadsNoOtherRows) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.sql(
      "INSERT INTO trans_branch_op (gid, branch_id, op, url, status) SELECT CONCAT('other', seq),"
      " '01', 'action', '', 'prepared' FROM seq_1_to_20000");
  const std::string rows_read =
      "SELECT SUM(variable_value) FROM information_schema.global_status"
      " WHERE variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')";
  const int before = std::stoi(one(rows_read));
  ASSERT_EQ(commit(update("g", TransStatus::submitted, outcome(1, BranchStatus::succeed, 5))),
            error_code{});
  // The statistics themselves are read from a table of some hundred rows.
  EXPECT_LT(std::stoi(one(rows_read)) - before, 5000);
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op WHERE status = 'succeed'"), "1");
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

TEST_F(MysqlStore, DeletesOldFinishedRowsIfItIsToldTo) {
  for (const char* gid : {"old", "new", "unfinished"}) {
    ASSERT_EQ(commit(create(sample_saga(gid))), error_code{});
  }
  for (const char* gid : {"old", "new"}) {
    ASSERT_EQ(commit(update(gid, TransStatus::submitted, new_status(TransStatus::succeed, 1))),
              error_code{});
  }
  under_test_.sql("UPDATE trans_global SET next_cron_time = NOW() - INTERVAL 1 YEAR");
  under_test_.sql(
      "UPDATE trans_global SET finish_time = UTC_TIMESTAMP() + INTERVAL 5 HOUR WHERE gid = 'new'");
  ASSERT_TRUE(under_test_.managed().maintain());
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global"), "3");
  persist::StoreSettings settings = under_test_.settings();
  settings.database.deletes_finished = true;
  const auto deleting = under_test_.open(settings);
  // The store's own upkeep may hold the row, which this one then leaves to it.
  const auto left = [&] {
    EXPECT_TRUE(deleting->maintain());
    return one("SELECT GROUP_CONCAT(gid ORDER BY gid) FROM trans_global");
  };
  EXPECT_TRUE(comes_true([&] { return left() == "new,unfinished"; })) << left();
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op"), "8");
}

TEST_F(MysqlStore, NamesWhatATakenOverDatabaseLacks) {
  under_test_.sql("ALTER TABLE trans_global DROP COLUMN rollback_reason");
  under_test_.sql("ALTER TABLE trans_branch_op DROP KEY gid_uniq");
  const auto opened = under_test_.try_open(under_test_.settings());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("trans_global.rollback_reason"));
  EXPECT_THAT(opened.error().detail, HasSubstr("trans_branch_op.key gid_uniq"));
}

TEST_F(MysqlStore, ResetCreatesTheDatabaseAndEmptiesTheTables) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  const persist::StoreKinds kinds = persist::StoreKinds::standard();
  const persist::StoreKind& kind = *kinds.find("mysql");
  ASSERT_TRUE(kind.drop(under_test_.settings()));
  ASSERT_TRUE(kinds.open(under_test_.settings(), clock_, log_));  // makes the tables
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global"), "0");
  persist::StoreSettings missing = under_test_.settings();
  missing.database.database = "test_missing";
  const Result<> created = kind.drop(missing);
  ASSERT_TRUE(created) << created.error().detail;
  ASSERT_TRUE(kinds.open(missing, clock_, log_));
  EXPECT_EQ(one("SELECT COUNT(*) FROM test_missing.trans_global"), "0");
  under_test_.sql("DROP DATABASE test_missing");
}

}  // namespace concerto::test
