#include <cstdlib>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>

#include "postgres/pg_statements.hpp"
#include "postgres_store_fixture.hpp"

/// What the database reads for a claim, however many rows are at rest.
namespace concerto::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// tools/prove sets more.
std::size_t many() {
  const char* rows = std::getenv("CONCERTO_TEST_ROWS");
  return rows == nullptr ? 100'000 : static_cast<std::size_t>(std::atol(rows));
}

class PostgresPlans : public PostgresStore {
 protected:
  /// The plans are made now, with empty tables, and kept.
  PostgresPlans() {
    postgres_.sql(persist::pg::session_settings);
    postgres_.sql("SET plan_cache_mode = force_generic_plan");
    namespace pg = persist::pg;
    for (const auto* statement :
         {&pg::claim_due, &pg::claim, &pg::update, &pg::renew, &pg::let_go, &pg::list}) {
      postgres_.sql("PREPARE " + std::string(statement->name) + " AS " + statement->text);
    }
    for (const std::string& text :
         {claim_due, claim_one, update_one, renew_one, let_go_one, list_page}) {
      explain(text);
    }
  }

  /// Unfinished ones of all statuses, due in an hour or later, and as many finished ones.
  void add_rows(std::size_t count, const std::string& names) {
    const std::string columns =
        "INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time,"
        " update_time, options, next_cron_interval, next_cron_time, owner) SELECT '" +
        names;
    const std::string all = " FROM generate_series(1, " + std::to_string(count) + ") AS i";
    postgres_.sql(columns +
                  "' || i, 'saga', (ARRAY['submitted', 'aborting', 'prepared'])[1 + i % 3], '',"
                  " 'http', now(), now(), '', 10, now() + interval '1 hour' + i * interval '1 s',"
                  " 'cc-rest'" +
                  all);
    postgres_.sql(columns +
                  "f' || i, 'saga', 'succeed', '', 'http', now(), now(), '', 10,"
                  " now() - i * interval '1 s', 'cc-1'" +
                  all);
  }
  void make_due(const std::string& condition) {
    postgres_.sql(
        "UPDATE trans_global SET next_cron_time = now() - interval '1 minute'"
        " WHERE owner = 'cc-rest' AND " +
        condition);
  }

  struct Cost {
    std::int64_t pages = 0;  ///< how often the statement has looked at one
    std::string plan;
  };
  /// Runs a statement and takes its changes back.
  Cost explain(const std::string& execute) {
    postgres_.sql("BEGIN");
    const std::string text = cell("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + execute);
    postgres_.sql("ROLLBACK");
    Cost cost;
    cost.plan = text;
    add_pages(boost::json::parse(text).at(0).at("Plan"), true, cost.pages);
    return cost;
  }
  /// A node has the pages of those below it, except of changes that the rest does not read.
  static void add_pages(const boost::json::value& node, bool counts, std::int64_t& pages) {
    const auto& members = node.as_object();
    const bool changes = members.at("Node Type") == "ModifyTable";
    if (counts || changes) {
      pages += members.at("Shared Hit Blocks").to_number<std::int64_t>() +
               members.at("Shared Read Blocks").to_number<std::int64_t>();
    }
    const auto below = members.find("Plans");
    if (below == members.end()) return;
    for (const boost::json::value& one : below->value().as_array()) add_pages(one, false, pages);
  }

  const std::string claim_due = "EXECUTE concerto_claim_due(100, 'cc-2', 15)";
  const std::string update_one =
      "EXECUTE concerto_update('{r60000}', '{submitted}', '{now}', '{NULL}', '{NULL}', '{NULL}',"
      " '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{1}', 'cc-rest', 5, 15, '{}',"
      " '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')";
  const std::string list_page =
      "EXECUTE concerto_list(9000000000, '{submitted}', NULL, NULL, NULL, 1000)";
  const std::string renew_one = "EXECUTE concerto_renew('{r60000}', 'cc-rest', 15)";
  const std::string let_go_one = "EXECUTE concerto_let_go('r60000', 'cc-rest', 'now')";
  const std::string claim_one = "EXECUTE concerto_claim('{r7, r8}', '{false, false}', 'cc-2', 15)";
};

TEST_F(PostgresPlans, AClaimReadsNoMoreWithManyRowsThanWithAThousand) {
  add_rows(1'000, "r");
  const std::int64_t one_before = explain(claim_one).pages;
  const std::int64_t none_before = explain(claim_due).pages;
  make_due("id % 5 = 0");
  const std::int64_t hundred_before = explain(claim_due).pages;
  ASSERT_GT(hundred_before, 200) << "a hundred rows are locked and changed";
  make_due("false");
  add_rows(many(), "more");
  const Cost hundred = explain(claim_due), one = explain(claim_one);
  EXPECT_LE(hundred.pages, hundred_before * 2) << hundred.plan;
  EXPECT_LE(one.pages, one_before * 2) << one.plan;
  EXPECT_THAT(hundred.plan, HasSubstr("status_next_cron_time"));
  EXPECT_THAT(hundred.plan, Not(HasSubstr("Seq Scan")));
  EXPECT_THAT(one.plan, HasSubstr("\"Index Name\": \"gid\""));
  postgres_.sql("DELETE FROM trans_global WHERE next_cron_time < now() AND owner = 'cc-rest'");
  postgres_.sql("VACUUM trans_global");
  EXPECT_LE(explain(claim_due).pages, none_before + 20) << "nothing is due";
}

TEST_F(PostgresPlans, AChangeOfOneRowReadsNoOthers) {
  add_rows(many(), "r");
  for (const std::string& text : {update_one, renew_one, let_go_one}) {
    const Cost one = explain(text);
    EXPECT_LE(one.pages, 100) << one.plan;
    EXPECT_THAT(one.plan, HasSubstr("\"Actual Rows\": 1,")) << text;
  }
}

TEST_F(PostgresPlans, AListReadsTheNewestRowsInTheirOrderAndSortsNone) {
  add_rows(many(), "r");
  const Cost page = explain(list_page);
  EXPECT_LE(page.pages, 1'000) << "20,000 rows at most are read" << page.plan;
  EXPECT_THAT(page.plan, Not(HasSubstr("Sort")));
  EXPECT_THAT(page.plan, Not(HasSubstr("Seq Scan")));
}

TEST_F(PostgresPlans, AClaimOfAHundredReadsNoMoreWhenAllAreDue) {
  add_rows(1'000, "r");
  make_due("id % 5 = 0");
  const std::int64_t before = explain(claim_due).pages;
  add_rows(many(), "more");
  make_due("true");
  postgres_.sql("VACUUM ANALYZE trans_global");
  const Cost all = explain(claim_due);
  EXPECT_LE(all.pages, before * 2) << all.plan;
}

TEST_F(PostgresPlans, AListOfRareStatusesReadsThemAlone) {
  add_rows(many(), "r");
  postgres_.sql(
      "UPDATE trans_global SET status = 'failed' WHERE gid IN ('rf1', 'rf2', 'r3'); DELETE FROM"
      " trans_global WHERE status IN ('prepared', 'aborting')");
  ListFilter filter;
  filter.statuses = {TransStatus::failed, TransStatus::aborting};
  const auto page = wait(store().list(filter, "", 10)).value();
  EXPECT_EQ(page.transactions.size(), 3U);
  EXPECT_TRUE(page.next_position.empty());
}

TEST_F(PostgresPlans, AListOfStatusesThatManyRowsHaveFindsAllOfThem) {
  constexpr std::size_t count = 30'000;
  add_rows(count, "r");
  ListFilter filter;
  filter.statuses = {TransStatus::submitted, TransStatus::aborting};
  std::size_t found = 0;
  std::string position;
  do {
    auto page = wait(store().list(filter, position, 7'000)).value();
    found += page.transactions.size();
    position = page.next_position;
  } while (!position.empty());
  EXPECT_EQ(found, count / 3 * 2);
}

}  // namespace
}  // namespace concerto::test
