#include "api/list_query.hpp"

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

Result<ListQuery> parse(HttpRequest::Query query) {
  HttpRequest request;
  request.query = std::move(query);
  return list_query_from(request);
}

TEST(ListQuery, HasDefaults) {
  const auto list = parse({});
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->gid.empty());
  EXPECT_TRUE(list->position.empty());
  EXPECT_EQ(list->limit, 100U);
  EXPECT_FALSE(list->filter.status || list->filter.type);
  EXPECT_FALSE(list->filter.created_from || list->filter.created_to);
  EXPECT_FALSE(list->matches_nothing);
}

TEST(ListQuery, TakesWhatTheAdminPageSends) {
  const auto list = parse({{"position", "17"},
                           {"gid", ""},
                           {"status", "prepared"},
                           {"transType", "msg"},
                           {"createTimeStart", "1795412116999"},
                           {"createTimeEnd", "1795412117001"},
                           {"limit", "10"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->position, "17");
  EXPECT_EQ(list->limit, 10U);
  EXPECT_EQ(list->filter.status, TransStatus::prepared);
  EXPECT_EQ(list->filter.type, TransType::msg);
  EXPECT_EQ(list->filter.created_from, WallTime{1795412116s});
  EXPECT_EQ(list->filter.created_to, WallTime{1795412117s + 999999999ns});
}

TEST(ListQuery, WithGidIgnoresTheRest) {
  const auto list = parse({{"gid", "g;1"}, {"limit", "abc"}, {"position", "p"}, {"status", "x"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->gid.str(), "g;1");
  EXPECT_EQ(list->position, "p");
  EXPECT_FALSE(list->matches_nothing);
}

TEST(ListQuery, KnowsFiltersThatNothingMatches) {
  EXPECT_TRUE(parse({{"status", "weird"}})->matches_nothing);
  EXPECT_TRUE(parse({{"transType", "SAGA"}})->matches_nothing);
}

struct LimitCase {
  const char* name;
  const char* text;
  std::size_t want;
};

void PrintTo(const LimitCase& row, std::ostream* out) {
  *out << row.name;
}

class Limit : public testing::TestWithParam<LimitCase> {};

TEST_P(Limit, IsClamped) {
  const auto list = parse({{"limit", GetParam().text}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->limit, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Table, Limit,
                         testing::Values(LimitCase{"One", "1", 1}, LimitCase{"Most", "1000", 1000},
                                         LimitCase{"More", "1001", 1000},
                                         LimitCase{"Huge", "9223372036854775807", 1000},
                                         LimitCase{"Zero", "0", 1}, LimitCase{"Negative", "-5", 1},
                                         LimitCase{"Plus", "+7", 7}, LimitCase{"Empty", "", 100}),
                         [](const auto& row) { return row.param.name; });

struct BadNumberCase {
  const char* name;
  const char* field;
  const char* text;
};

void PrintTo(const BadNumberCase& row, std::ostream* out) {
  *out << row.name;
}

class BadNumber : public testing::TestWithParam<BadNumberCase> {};

TEST_P(BadNumber, IsRefused) {
  const auto list = parse({{GetParam().field, GetParam().text}});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::invalid_request);
  EXPECT_EQ(list.error().detail, std::string{"convert to int error: "} + GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadNumber,
    testing::Values(BadNumberCase{"Word", "limit", "abc"},
                    BadNumberCase{"Fraction", "limit", "1.5"},
                    BadNumberCase{"Blank", "limit", " 1"}, BadNumberCase{"Signs", "limit", "+-1"},
                    BadNumberCase{"OutOfRange", "limit", "9223372036854775808"},
                    BadNumberCase{"Start", "createTimeStart", "yesterday"},
                    BadNumberCase{"End", "createTimeEnd", "1h"}),
    [](const auto& row) { return row.param.name; });

TEST(ListQuery, CutsTimesThatNoClockShows) {
  const auto list = parse(
      {{"createTimeStart", "-9223372036854775808"}, {"createTimeEnd", "9223372036854775807"}});
  ASSERT_TRUE(list);
  EXPECT_LT(*list->filter.created_from, WallTime{});
  EXPECT_GT(*list->filter.created_to, WallTime{std::chrono::seconds{9'000'000'000}});
}

}  // namespace
}  // namespace concerto::net
