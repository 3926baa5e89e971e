// The bodies of operators' actions.

#include "api/bulk_json.hpp"

#include <ostream>

#include <gmock/gmock.h>

#include <concerto/protocol/parameters.hpp>

namespace concerto::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const WallTime now{std::chrono::seconds{1'000'000}};

Result<ActionBody> read(std::string_view text, BulkAction action = BulkAction::retry) {
  return action_body_from(text, action, now, ModeTable::standard());
}

TEST(ActionBody, HasASelection) {
  const ActionBody body = read(R"({"select":{"status":"submitted,aborting","transType":"tcc",
      "minAge":10,"maxAge":"60","target":"b","lastError":"e","topic":"t",
      "owner":"nobody"},"limit":7,"reason":"r",
      "dryRun":true})")
                              .value();
  EXPECT_TRUE(body.has_select && body.dry_run);
  const BulkSelection& selection = body.request.selection;
  EXPECT_EQ(selection.statuses, (StatusSet{TransStatus::submitted, TransStatus::aborting}));
  EXPECT_EQ(selection.type, TransType::tcc);
  EXPECT_EQ(selection.created_to, now - std::chrono::seconds{10});
  EXPECT_EQ(selection.created_from, now - std::chrono::seconds{60});
  EXPECT_EQ(selection.trouble, (TroubleFilter{"b", "e"}));
  EXPECT_EQ(selection.topic, "t");
  EXPECT_EQ(selection.owner, "nobody");
  EXPECT_EQ(body.request.limit, 7U);
  EXPECT_EQ(body.request.reason, "r");
}

TEST(ActionBody, NamesTransactions) {
  EXPECT_EQ(read(R"({"gid":"g"})").value().gid, Gid{"g"});
  EXPECT_THAT(read(R"({"gids":["g","h"]})").value().gids, ElementsAre(Gid{"g"}, Gid{"h"}));
  const ActionBody skip =
      read(R"({"gid":"g","branchId":"01","op":"action","reason":"r"})", BulkAction::skip).value();
  EXPECT_EQ(skip.request.branch, (BranchRow{"01", "action"}));
  EXPECT_TRUE(read(R"({"gid":"g","dryRun":true,"reason":"r"})", BulkAction::skip));
}

struct BadBody {
  const char* text;
  const char* told;
};
void PrintTo(const BadBody& row, std::ostream* out) {
  *out << row.text;
}

class ActionBodyError : public testing::TestWithParam<BadBody> {};

TEST_P(ActionBodyError, NamesTheFieldAndTheValue) {
  const auto body = read(GetParam().text, BulkAction::skip);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Errc::invalid_request);
  EXPECT_THAT(body.error().detail, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ActionBodyError,
    testing::Values(
        BadBody{"", "the request body"}, BadBody{"[]", "must be an object"},
        BadBody{R"({"reason":"r"})", "one of gid, gids and select, found 0"},
        BadBody{R"({"gid":"g","select":{},"reason":"r"})", "found 2"},
        BadBody{R"({"gid":"g"})", "reason: a skip needs one"},
        BadBody{R"({"gid":"g","reason":"r"})", "needs both, and both are missing"},
        BadBody{R"({"gid":"g","op":"action","reason":"r"})", "branchId is missing"},
        BadBody{R"({"gids":["g"],"branchId":"01","reason":"r"})", "op is missing"},
        BadBody{R"({"select":{},"branchId":"01","reason":"r"})", "op is missing"},
        BadBody{R"({"gids":[],"reason":"r"})", "gids: expected 1 to 1000 of them, found 0"},
        BadBody{R"({"select":{"minage":1},"reason":"r"})", "'minage'"},
        BadBody{R"({"select":{"minAge":1.5},"reason":"r"})", "'select.minAge'"},
        BadBody{R"({"select":{},"dryRun":null,"reason":"r"})", "'dryRun'"},
        BadBody{R"({"select":{"target":null},"reason":"r"})", "'target'"},
        BadBody{R"({"gid":"g","reason":"r","reason":"s"})", "'reason' is there 2 times"},
        BadBody{R"({"gid":"g","reason":"  "})", "reason: a skip needs one"},
        BadBody{R"({"select":{"minAge":-1},"reason":"r"})", "minAge: expected 0 or more, found -1"},
        BadBody{R"({"select":{"maxAge":0},"reason":"r"})", "maxAge: expected 1 or more, found 0"},
        BadBody{R"({"select":{"target":""},"reason":"r"})", "select.target: expected a text"},
        BadBody{R"({"select":{"status":" "},"reason":"r"})", "select.status: expected a text"},
        BadBody{R"({"select":{"status":","},"reason":"r"})", "status: expected one or more"},
        BadBody{R"({"select":{"owner":""},"reason":"r"})", "select.owner: expected a text"},
        BadBody{R"({"select":{"by":"age"},"reason":"r"})", "unknown member 'by'"},
        BadBody{R"({"gid":"","reason":"r"})", "gid: expected a text"},
        BadBody{R"({"gid":"g","branchId":"","reason":"r"})", "branchId: expected a text"},
        BadBody{R"({"select":7,"reason":"r"})", "'select' must be an object"},
        BadBody{R"({"select":{},"limit":-1,"reason":"r"})", "limit: expected 1 or more, found -1"},
        BadBody{R"({"select":{"status":"dead"},"reason":"r"})", "'dead'"},
        BadBody{R"({"select":{},"branch":"01","reason":"r"})", "'branch'"}));

TEST(ActionBody, OnlyASkipNamesARow) {
  EXPECT_THAT(read(R"({"gid":"g","op":"action"})").error().detail, HasSubstr("'op'"));
}

TEST(ActionBody, IsToldInItsRecord) {
  const std::string body =
      R"({"select":{"target":"b","minAge":5},"limit":3,"dryRun":true,"reason":"r","x":"y"})";
  EXPECT_EQ(action_details(body), "select.target b, select.minAge 5, limit 3, dryRun true");
  EXPECT_EQ(action_reason(body), "r");
  EXPECT_EQ(action_details(R"({"select":{}})"), "all");
  EXPECT_EQ(action_details(R"({"gids":["a","b"],"branchId":"01"})"), "2 gids: a, b, branchId 01");
  EXPECT_THAT(action_gids(R"({"gids":["a","b","a"],"branchId":"01"})"), ElementsAre("a", "b"));
  for (const char* none : {R"({"gid":"a"})", R"({"select":{}})", R"({"gids":"a"})", "no JSON"}) {
    EXPECT_THAT(action_gids(none), testing::IsEmpty()) << none;
  }
  EXPECT_EQ(action_details("no JSON"), "");
  EXPECT_EQ(action_reason(R"({"reason":1})"), "");
}

TEST(ActionBody, ARecordNamesAsManyGidsAsARequestMay) {
  std::string body = R"({"gids":[)";
  for (std::size_t i = 0; i < 2 * gids_max; ++i) {
    body.append(i == 0 ? "\"g" : ",\"g").append(std::to_string(i)).append("\"");
  }
  const std::vector<std::string> gids = action_gids(body + "]}");
  ASSERT_EQ(gids.size(), gids_max);
  EXPECT_EQ(gids.back(), "g" + std::to_string(gids_max - 1));
}

Result<> checked(HttpRequest::Query query) {
  HttpRequest request;
  request.query = std::move(query);
  return check_parameters(request, {"gid", "limit", "position"});
}

TEST(Parameters, AreKnownAndThereOnceAndNotEmpty) {
  EXPECT_TRUE(checked({{"gid", "g"}, {"position", ""}}));
  EXPECT_EQ(checked({{"gdi", "g"}}).error().detail,
            "unknown parameter 'gdi'; known here: gid, limit, position");
  EXPECT_EQ(checked({{"gid", "g"}, {"gid", "h"}}).error().detail,
            "gid: the parameter is there more than once");
  EXPECT_EQ(checked({{"gid", " "}}).error().detail, "gid: expected a value, found an empty text");
}

TEST(PauseBody, IsReadWholeOrRefused) {
  const PauseBody body =
      pause_body_from(R"({"kind":"topic","value":"orders","reason":"r","dryRun":true})").value();
  EXPECT_EQ(body.pause.kind, PauseKind::topic);
  EXPECT_TRUE(body.dry_run);
  EXPECT_THAT(pause_body_from(R"({"kind":"planet"})").error().detail,
              HasSubstr("kind: expected target, topic or mode, found 'planet'"));
  for (const char* text : {R"({"kind":"mode","value":null})", R"({"kind":"mode","knd":"mode"})",
                           R"({"kind":"mode","kind":"mode"})"}) {
    EXPECT_FALSE(pause_body_from(text)) << text;
  }
}

}  // namespace
}  // namespace concerto::net
