#include "mysql/mysql_statements.hpp"

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "mysql/mysql_dialect.hpp"
#include "mysql/mysql_error.hpp"
#include "mysql/mysql_group.hpp"
#include "sql/owner_column.hpp"

namespace concerto::persist {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr RowTime afternoon = 1'795'878'245;  // 2026-11-28 15:04:05 UTC

MysqlTerms terms() {
  MysqlTerms terms;
  terms.zone = WallZone(std::chrono::hours(8));
  terms.node = "cc-node";
  terms.lease = {std::chrono::seconds(17), std::chrono::seconds(2)};
  terms.dialect = mysql_dialect("10.11.6-MariaDB");
  return terms;
}

std::string quoted(std::string_view value) {
  return MysqlText(WallZone(std::nullopt)).text(value).take();
}

TEST(WallZone, ShowsAndReadsTheWallClockOfItsZone) {
  EXPECT_EQ(WallZone(std::chrono::minutes(0)).text_of(afternoon), "2026-11-28 15:04:05");
  EXPECT_EQ(WallZone(std::chrono::hours(10)).text_of(afternoon), "2026-11-29 01:04:05");
  for (const int minutes : {-720, -210, 0, 345, 840}) {
    const WallZone zone{std::chrono::minutes(minutes)};
    EXPECT_EQ(zone.read(zone.text_of(afternoon)), afternoon) << minutes;
  }
}

TEST(WallZone, ReadsNothingThatIsNotATime) {
  const WallZone zone(std::chrono::minutes(0));
  for (const char* text :
       {"", "0000-00-00 00:00:00", "2026-11-28", "2026-02-30 00:00:00", "2026-11-28 1x:00:00"}) {
    EXPECT_EQ(zone.read(text), std::nullopt) << text;
  }
}

TEST(WallZone, KeepsWithinWhatTheColumnsShow) {
  const WallZone zone(std::chrono::hours(14));
  EXPECT_EQ(zone.text_of(std::int64_t{1} << 60), "9999-12-30 14:00:00");
  EXPECT_EQ(zone.text_of(-(std::int64_t{1} << 60)), "1000-01-02 14:00:00");
}

TEST(WallZone, HasATextForTheSession) {
  EXPECT_EQ(zone_text(std::chrono::hours(8)), "+08:00");
  EXPECT_EQ(zone_text(-std::chrono::minutes(210)), "-03:30");
  EXPECT_EQ(zone_text({}), "+00:00");
}

TEST(MysqlText, NoTextLeavesItsLiteral) {
  EXPECT_EQ(quoted("plain"), "'plain'");
  EXPECT_EQ(quoted("O'Brien"), "'O\\'Brien'");
  EXPECT_EQ(quoted("end\\"), "'end\\\\'");
  EXPECT_EQ(quoted("\\'; DROP TABLE kv; --"), "'\\\\\\'; DROP TABLE kv; --'");
  EXPECT_EQ(quoted(std::string_view("a\0b", 3)), "'a\\0b'");
  EXPECT_EQ(MysqlText(WallZone(std::nullopt)).bytes("\xff'").take(), "_binary'\xff\\''");
}

struct DialectCase {
  const char* version;
  bool is_tidb;
  bool skips_locked;
};

TEST(MysqlDialect, FollowsFromTheVersion) {
  for (const DialectCase& row :
       {DialectCase{"5.7.44-log", false, false}, DialectCase{"8.0.36", false, true},
        DialectCase{"8.4.0", false, true}, DialectCase{"10.3.39-MariaDB", false, false},
        DialectCase{"5.5.5-10.5.23-MariaDB-log", false, false},
        DialectCase{"5.5.5-10.6.16-MariaDB", false, true},
        DialectCase{"11.4.2-MariaDB", false, true}, DialectCase{"8.0.11-TiDB-v7.5.1", true, false},
        DialectCase{"", false, false}}) {
    EXPECT_EQ(mysql_dialect(row.version).is_tidb, row.is_tidb) << row.version;
    EXPECT_EQ(mysql_dialect(row.version).skips_locked, row.skips_locked) << row.version;
  }
  EXPECT_EQ(mysql_dialect("8.0.11-TiDB-v7.5.1").begin(), "BEGIN PESSIMISTIC");
}

TEST(MysqlError, HasTheClassThatItsCallerNeeds) {
  struct Case {
    unsigned number;
    SqlErrc code;
  };
  for (const Case& row :
       {Case{1213, SqlErrc::rolled_back}, Case{1205, SqlErrc::rolled_back},
        Case{1, SqlErrc::not_now}, Case{28, SqlErrc::not_now},
        Case{1040, SqlErrc::no_connection_left}, Case{1053, SqlErrc::not_now},
        Case{1290, SqlErrc::not_now}, Case{1836, SqlErrc::not_now}, Case{2003, SqlErrc::not_now},
        Case{2006, SqlErrc::answer_lost}, Case{2013, SqlErrc::answer_lost},
        Case{2008, SqlErrc::answer_lost}, Case{2026, SqlErrc::answer_lost},
        Case{2059, SqlErrc::wrong_schema}, Case{1146, SqlErrc::wrong_schema},
        Case{1045, SqlErrc::wrong_schema}, Case{1406, SqlErrc::refused}}) {
    EXPECT_EQ(class_of_mysql_error(row.number), row.code) << row.number;
  }
}

TEST(MysqlError, AnInterruptionDoesNotTellWhatBecameOfACommit) {
  for (const unsigned number : {1317U, 1969U, 3024U}) EXPECT_TRUE(is_interruption(number));
  for (const unsigned number : {1205U, 1213U, 2013U}) EXPECT_FALSE(is_interruption(number));
}

class MysqlGroup : public testing::Test {
 protected:
  CreateRows& create(const std::string& gid, const std::string& owner) {
    CreateRows& rows = creates_.emplace_back();
    rows.trans.gid = gid;
    rows.trans.status = "submitted";
    rows.trans.owner = owner;
    rows.trans.next_cron_time = afternoon;
    rows.branches.resize(1);
    rows.branches.front().branch_id = "01";
    return rows;
  }
  UpdateRows& update(const std::string& gid) {
    UpdateRows& rows = updates_.emplace_back();
    rows.gid = gid;
    rows.expected = TransStatus::submitted;
    rows.update_time = afternoon;
    return rows;
  }
  mysql::GroupText text(mysql::Preconditions preconditions = mysql::Preconditions::to_check) {
    RowGroup group;
    for (CreateRows& rows : creates_) group.creates.push_back(&rows);
    for (UpdateRows& rows : updates_) group.updates.push_back(&rows);
    return mysql::group_text(terms(), group, preconditions);
  }

  std::list<CreateRows> creates_;
  std::list<UpdateRows> updates_;
};

TEST_F(MysqlGroup, CreatesAllInOneStatementOfEachTable) {
  create("a", "cc-node");
  create("b", std::string(rest_mark));
  const auto statements = text().statements;
  ASSERT_EQ(statements.size(), 4U);
  EXPECT_EQ(statements[0], "START TRANSACTION");
  EXPECT_THAT(statements[1], HasSubstr("('a',"));
  EXPECT_THAT(statements[1], HasSubstr("),('b',"));
  // Who works on a transaction begins with a lease, by the database's clock.
  EXPECT_THAT(statements[1], HasSubstr("NOW() + INTERVAL 17 SECOND,'cc-node'"));
  EXPECT_THAT(statements[1], HasSubstr("'2026-11-28 23:04:05','cc-rest'"));
  EXPECT_THAT(statements[2], HasSubstr("INSERT INTO trans_branch_op"));
  EXPECT_EQ(statements[3], "COMMIT");
}

TEST_F(MysqlGroup, RowsThatGetTheSameValuesAreOneStatementWithACheckOfTheirNumber) {
  update("a").status = TransStatus::succeed;
  update("b");
  update("c").status = TransStatus::succeed;
  const auto statements = text().statements;
  ASSERT_EQ(statements.size(), 6U);
  EXPECT_THAT(statements[1], HasSubstr("status = 'succeed'"));
  EXPECT_THAT(statements[1],
              EndsWith("WHERE status = 'submitted' AND owner = 'cc-node' AND gid IN ('a','c')"));
  EXPECT_EQ(statements[2], "SET @cc_check = EXP(710 * (ROW_COUNT() <> 2))");
  EXPECT_THAT(statements[3], EndsWith("gid IN ('b')"));
  EXPECT_EQ(statements[4], "SET @cc_check = EXP(710 * (ROW_COUNT() <> 1))");
}

TEST_F(MysqlGroup, ChangesRowsOfBranchesByTheirKeys) {
  for (const char* gid : {"a", "b"}) {
    update(gid).branch_changes = {{"01", "action", "succeed", afternoon, afternoon}};
  }
  const auto statements = text().statements;
  ASSERT_EQ(statements.size(), 5U);
  EXPECT_EQ(statements[3],
            "UPDATE trans_branch_op FORCE INDEX (gid_uniq) SET status = 'succeed', update_time = "
            "'2026-11-28 23:04:05', finish_time = '2026-11-28 23:04:05' WHERE branch_id = '01' AND "
            "op = 'action' AND gid IN ('a','b')");
}

TEST_F(MysqlGroup, ChangesUrlAndPayloadOfARow) {
  BranchRowChange change{"01", "action", "prepared", afternoon, std::nullopt};
  change.url = "http://it's/";
  change.bin_data = "new";
  update("a").branch_changes = {change};
  EXPECT_THAT(text().statements[3], HasSubstr(R"(', url = 'http://it\'s/', bin_data = )"));
}

TEST_F(MysqlGroup, WhatIsAlreadyLockedIsNotChecked) {
  update("a");
  EXPECT_THAT(text(mysql::Preconditions::hold).statements,
              ElementsAre(HasSubstr("UPDATE trans_global"), "COMMIT"));
}

TEST_F(MysqlGroup, ARestSetsTheMarkAndALeaseIsRenewedOnlyNearItsEnd) {
  UpdateRows& rests = update("a");
  rests.hold = Hold::rests;
  rests.next_cron_time = afternoon;
  update("b");
  const auto statements = text().statements;
  EXPECT_THAT(statements[1],
              HasSubstr("next_cron_time = '2026-11-28 23:04:05', owner = 'cc-rest'"));
  EXPECT_THAT(statements[3], HasSubstr("IF(next_cron_time >= NOW() + INTERVAL 15 SECOND, "
                                       "next_cron_time, NOW() + INTERVAL 17 SECOND)"));
}

TEST_F(MysqlGroup, AFinishedOneHasNoFence) {
  UpdateRows& later = update("a");
  later.expected = TransStatus::failed;
  later.hold = Hold::leaves;
  EXPECT_THAT(text().statements[1], Not(HasSubstr("owner")));
}

TEST_F(MysqlGroup, LongInsertsAreSeveralStatements) {
  for (const char* gid : {"a", "b", "c"}) {
    create(gid, "cc-node").branches.front().bin_data = std::string(200'000, 'x');
  }
  const mysql::GroupText group = text();
  EXPECT_EQ(std::ranges::count(group.steps, mysql::GroupText::Step::adds_branches), 2);
  EXPECT_EQ(group.steps.size(), group.statements.size());
}

TEST(MysqlStatements, AClaimHasOneMomentAndComparesBytes) {
  const auto statements = mysql::claim(terms(), {{"a", Claim::if_free}, {"b", Claim::always}});
  ASSERT_EQ(statements.size(), 6U);
  EXPECT_EQ(statements[0], "SET @cc_now = NOW()");
  const std::string may =
      "(g.status IN ('prepared', 'submitted', 'aborting') AND CAST(g.gid AS BINARY) IN ('a','b') "
      "AND (g.owner IN ('cc-node', 'cc-rest') OR g.next_cron_time IS NULL OR g.next_cron_time <= "
      "CAST(@cc_now AS DATETIME) OR g.gid IN ('b')))";
  EXPECT_THAT(statements[2], HasSubstr(may));
  EXPECT_THAT(statements[2], EndsWith("ORDER BY g.gid FOR UPDATE"));
  EXPECT_THAT(statements[3], EndsWith(may));
}

TEST(MysqlStatements, WhatIsDueIsLockedAtOnceOnlyWhereLockedRowsCanBeSkipped) {
  MysqlTerms with = terms(), without = terms();
  without.dialect = mysql_dialect("5.7.44");
  EXPECT_THAT(mysql::find_due(with, 5),
              ElementsAre("START TRANSACTION", EndsWith("LIMIT 5 FOR UPDATE SKIP LOCKED"),
                          EndsWith("FOR UPDATE SKIP LOCKED"), EndsWith("FOR UPDATE SKIP LOCKED")));
  EXPECT_THAT(mysql::find_due(without, 5),
              ElementsAre(EndsWith("LIMIT 5"), EndsWith("LIMIT 5"), EndsWith("LIMIT 5")));
  EXPECT_THAT(mysql::lock_due(without, {3, 4})[1],
              HasSubstr("id IN (3,4) AND g.status IN ('prepared', 'submitted', 'aborting') AND "
                        "g.next_cron_time <= NOW() ORDER BY g.id FOR UPDATE"));
}

TEST(MysqlStatements, AListOfRareStatusesDoesNotLookAtTheOthers) {
  ListRows filter;
  filter.statuses = {"failed"};
  EXPECT_TRUE(may_be_rare(filter.statuses));
  EXPECT_THAT(mysql::count_some(terms(), filter.statuses, 7),
              AllOf(HasSubstr("FORCE INDEX (status_next_cron_time)"), HasSubstr("LIMIT 7")));
  EXPECT_THAT(mysql::list_rare(terms(), filter), HasSubstr("FORCE INDEX (status_next_cron_time)"));
  filter.statuses.emplace_back("succeed");
  EXPECT_FALSE(may_be_rare(filter.statuses));
  EXPECT_FALSE(may_be_rare({}));
}

TEST(MysqlStatements, AnyOtherListLooksAtAPartOfTheRowsAtATime) {
  ListRows filter;
  filter.before = 70'000;
  filter.limit = 5;
  EXPECT_THAT(mysql::list_part(terms(), filter),
              ElementsAre(HasSubstr("MAX(id) FROM trans_global WHERE id < 70000"),
                          AllOf(HasSubstr("FORCE INDEX (PRIMARY)"),
                                HasSubstr("g.id > @cc_first - 20000"), EndsWith("LIMIT 5")),
                          "SELECT @cc_first"));
}

TEST(MysqlStatements, ASessionHasTheZoneOfTheColumns) {
  const auto setup = mysql::setup(terms(), std::chrono::hours(8), std::chrono::seconds(5));
  EXPECT_THAT(setup[0], HasSubstr("time_zone = '+08:00'"));
  EXPECT_THAT(setup[0], Not(HasSubstr("NO_BACKSLASH_ESCAPES")));
  EXPECT_THAT(setup[0], HasSubstr("character_set_client = utf8mb4"));
  EXPECT_THAT(setup[0], HasSubstr("STRICT_TRANS_TABLES"));
}

}  // namespace
}  // namespace concerto::persist
