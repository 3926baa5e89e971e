#include "api/list_query.hpp"

#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

Result<ListQuery> parse(HttpRequest::Query query, const ModeTable& modes = ModeTable::standard()) {
  HttpRequest request;
  request.query = std::move(query);
  CONCERTO_TRY(ListQuery list, list_query_from(request, modes));
  CONCERTO_CHECK(take_own_parameters(request, WallTime{1000s}, list));
  return list;
}

TEST(ListQuery, HasDefaults) {
  const auto list = parse({});
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->gid.empty());
  EXPECT_TRUE(list->position.empty());
  EXPECT_EQ(list->limit, 100U);
  EXPECT_TRUE(list->filter.statuses.empty());
  EXPECT_FALSE(list->filter.type || list->explain);
  EXPECT_TRUE(list->trouble.empty());
  EXPECT_FALSE(list->filter.created_from || list->filter.created_to);
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
  EXPECT_EQ(list->filter.statuses, StatusSet{TransStatus::prepared});
  EXPECT_EQ(list->filter.type, TransType::msg);
  EXPECT_EQ(list->filter.created_from, WallTime{1795412116s});
  EXPECT_EQ(list->filter.created_to, WallTime{1795412117s + 999999999ns});
}

TEST(ListQuery, WithGidIgnoresTheRest) {
  const auto list = parse({{"gid", "g;1"}, {"limit", "abc"}, {"position", "p"}, {"status", "x"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->gid.str(), "g;1");
  EXPECT_EQ(list->position, "p");
}

TEST(ListQuery, NamesAnUnknownStatusOrType) {
  EXPECT_EQ(parse({{"status", "submitted,nope"}}).error().detail,
            "status 'nope' is none of prepared, submitted, aborting, succeed and failed");
  EXPECT_EQ(parse({{"status", "Submitted"}}).error().code, Errc::invalid_request);
  EXPECT_EQ(parse({{"transType", "SAGA"}}).error().detail,
            "transType 'SAGA' is none of saga, msg, tcc, xa and workflow");
}

TEST(ListQuery, FindsTypesInTheTableOfModes) {
  Mode own = modes::saga;
  own.type = TransType{7};
  own.name = "own";
  const ModeTable table({&modes::msg, &own});
  const auto list = parse({{"transType", "own"}}, table);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->filter.type, TransType{7});
  EXPECT_EQ(parse({{"transType", "saga"}}, table).error().detail,
            "transType 'saga' is none of msg and own");
}

TEST(ListQuery, SkipsBlanksAndEmptyNames) {
  const auto list = parse({{"status", "submitted, failed ,,"}, {"transType", " saga"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->filter.statuses, (StatusSet{TransStatus::submitted, TransStatus::failed}));
  EXPECT_EQ(list->filter.type, TransType::saga);
  EXPECT_TRUE(parse({{"status", ","}})->filter.statuses.empty());
}

TEST(ListQuery, TakesTheFiltersOfAnOperator) {
  const auto list = parse({{"status", "submitted,failed"},
                           {"target", "http://bank"},
                           {"lastError", "no disk"},
                           {"minAge", "60"},
                           {"explain", "true"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->filter.statuses, (StatusSet{TransStatus::submitted, TransStatus::failed}));
  EXPECT_EQ(list->trouble.target, "http://bank");
  EXPECT_EQ(list->trouble.error, "no disk");
  EXPECT_EQ(list->filter.created_to, WallTime{940s});
  EXPECT_TRUE(list->explain);
  EXPECT_EQ(parse({{"minAge", "60"}, {"createTimeEnd", "3000"}})->filter.created_to,
            WallTime{3s + 999999999ns});
  EXPECT_FALSE(parse({{"minAge", "0"}})->filter.created_to);
  EXPECT_EQ(parse({{"owner", "cc-1"}})->owner, "cc-1");
  EXPECT_LT(*parse({{"minAge", "9223372036854775807"}})->filter.created_to, WallTime{});
}

TEST(ListQuery, RefusesBadFilters) {
  EXPECT_EQ(parse({{"target", std::string(1025, 'x')}}).error().detail,
            "target has 1025 bytes, at most 1024 are allowed");
  EXPECT_FALSE(parse({{"lastError", std::string(1025, 'x')}}));
  EXPECT_EQ(parse({{"explain", "maybe"}}).error().detail,
            "explain is neither true nor false: 'maybe'");
}

/// A script's empty variable must not select everything. The reference's parameters are lenient.
TEST(ListQuery, OwnFiltersThatMeanNothingAreRefused) {
  for (const char* name :
       {"explain", "target", "lastError", "topic", "owner", "minAge", "maxAge"}) {
    for (const char* value : {"", "  "}) {
      const auto list = parse({{name, value}});
      ASSERT_FALSE(list) << name;
      EXPECT_EQ(list.error().detail, std::string{name} + ": expected a value, found an empty text");
    }
  }
  EXPECT_EQ(parse({{"minAge", "-5"}}).error().detail, "minAge: expected 0 or more, found -5");
  EXPECT_EQ(parse({{"minAge", "1h"}}).error().detail, "minAge: convert to int error: 1h");
  EXPECT_EQ(parse({{"maxAge", "0"}}).error().detail, "maxAge: expected 1 or more, found 0");
  EXPECT_TRUE(parse({{"status", ""}, {"transType", ""}, {"createTimeStart", ""}, {"limit", ""}}));
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

TEST(ListQuery, CutsTimesBeyondTheRangeOfTheClock) {
  const auto list = parse(
      {{"createTimeStart", "-9223372036854775808"}, {"createTimeEnd", "9223372036854775807"}});
  ASSERT_TRUE(list);
  EXPECT_LT(*list->filter.created_from, WallTime{});
  EXPECT_GT(*list->filter.created_to, WallTime{std::chrono::seconds{9'000'000'000}});
}

}  // namespace
}  // namespace concerto::net
