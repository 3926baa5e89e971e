// Claims of many rows, with servers that can skip locked rows and with those that cannot.

#include <map>

#include <gmock/gmock.h>

#include "mysql/mysql_statements.hpp"
#include "mysql_store_fixture.hpp"

namespace concerto::test {

using Claims = std::map<std::string, int>;

/// Claims until nothing has been due a few times.
Task<void> claim_all(Ownership& ownership, Claims& claims) {
  for (int idle = 0; idle < 3;) {
    const auto claimed = co_await ownership.claim_due(100);
    EXPECT_TRUE(claimed) << (claimed ? "" : claimed.error().detail);
    if (!claimed) co_return;
    for (const Transaction& trans : *claimed) ++claims[trans.gid.str()];
    idle = claimed->empty() ? idle + 1 : 0;
  }
}

class MysqlRest : public MysqlStore {
 protected:
  /// Rows that rest. The first `due` are due.
  void add_rows(int due, int all) {
    under_test_.sql(
        "INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time,"
        " options, next_cron_interval, next_cron_time, owner, ext_data) SELECT CONCAT('g', seq), "
        "'saga',"
        " ELT(1 + seq % 3, 'submitted', 'aborting', 'prepared'), '', 'http', NOW(), '', 10,"
        " UTC_TIMESTAMP() + INTERVAL 5 HOUR + INTERVAL IF(seq <= " +
        std::to_string(due) + ", -10, 1000) SECOND, 'cc-rest', '' FROM seq_1_to_" +
        std::to_string(all));
    under_test_.sql("ANALYZE TABLE trans_global");
  }
  /// How many rows this session has read since its counters were reset.
  int rows_read() {
    return std::stoi(
        one("SELECT SUM(variable_value) FROM information_schema.session_status"
            " WHERE variable_name LIKE 'Handler\\_read\\_%' AND variable_name NOT LIKE '%rnd%'"));
  }
};

class MysqlClaims : public MysqlRest, public testing::WithParamInterface<bool> {
 protected:
  std::unique_ptr<persist::ManagedStore> coordinator() {
    return open_with([](persist::MysqlOptions& mysql) { mysql.may_skip_locked = GetParam(); });
  }
};

INSTANTIATE_TEST_SUITE_P(SkipsLocked, MysqlClaims, testing::Bool());

TEST_P(MysqlClaims, CoordinatorsThatClaimAtOneTimeShareWhatIsDue) {
  constexpr int due = 1500;
  add_rows(due, 5000);
  std::vector<std::unique_ptr<persist::ManagedStore>> coordinators;
  for (int i = 0; i < 3; ++i) coordinators.push_back(coordinator());
  Claims claims;
  int left = 3;
  for (const auto& each : coordinators) {
    asio::co_spawn(io_, claim_all(*each->ownership(), claims),
                   [&left](const std::exception_ptr&) { --left; });
  }
  const auto work = asio::make_work_guard(io_);
  io_.restart();
  while (left > 0) io_.run_one();
  EXPECT_EQ(claims.size(), static_cast<std::size_t>(due));
  for (const auto& [gid, count] : claims) EXPECT_EQ(count, 1) << gid;
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_global WHERE owner = 'cc-rest'"), "3500");
}

TEST_P(MysqlClaims, WhatRestsCostsAClaimNothing) {
  add_rows(99, 50'000);
  persist::MysqlTerms terms;
  terms.node = "cc-node";
  terms.dialect.skips_locked = GetParam();
  under_test_.sql("SET time_zone = '+05:00'");
  for (const std::string& statement : persist::mysql::find_due(terms, 64)) {
    if (!statement.starts_with("SELECT")) continue;
    // id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra
    const auto plan = under_test_.sql("EXPLAIN " + statement).at(0);
    EXPECT_EQ(plan.at(5), "status_next_cron_time");
    EXPECT_EQ(plan.back().find("filesort"), std::string::npos) << plan.back();
    under_test_.sql("FLUSH STATUS");
    EXPECT_EQ(under_test_.sql(statement).size(), 33U);
    EXPECT_LE(rows_read(), 70);
  }
}

TEST_F(MysqlRest, IsFoundWithoutALookAtOtherStatuses) {
  add_rows(0, 5000);
  persist::MysqlTerms terms;
  terms.node = "cc-node";
  under_test_.sql("SET time_zone = '+05:00'");
  under_test_.sql("FLUSH STATUS");
  const persist::mysql::Resting rows{TransStatus::submitted, std::chrono::seconds(60), 0, 10};
  EXPECT_EQ(under_test_.sql(persist::mysql::resting(terms, rows)).size(), 10U);
  EXPECT_LE(rows_read(), 1700);  // a third of the rows: MariaDB sorts those of the status
}

TEST_F(MysqlRest, IsListedByAnIndexAloneExceptForThePage) {
  add_rows(0, 5000);
  persist::ListRows filter;
  filter.statuses = {"submitted", "aborting"};
  filter.limit = 10;
  const std::string list = persist::mysql::list_rare({}, filter);
  EXPECT_EQ(under_test_.sql(list).size(), 10U);
  const SqlTexts plan = under_test_.sql("EXPLAIN " + list);
  EXPECT_THAT(plan.back().back(), testing::HasSubstr("Using index;"));
}

}  // namespace concerto::test
