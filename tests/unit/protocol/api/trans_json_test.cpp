#include "api/trans_json.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

const ModeTable& modes = ModeTable::standard();

// 2026-11-23T05:35:16Z
constexpr WallTime noon{std::chrono::seconds{1795412116}};

struct OptionsCase {
  const char* name;
  TransOptions options;
  const char* want;
};

void PrintTo(const OptionsCase& row, std::ostream* out) {
  *out << row.name;
}

class OptionsText : public testing::TestWithParam<OptionsCase> {};

TEST_P(OptionsText, LeavesOutWhatIsZero) {
  EXPECT_EQ(json::parse(options_text(GetParam().options)), json::parse(GetParam().want));
}

TransOptions all_options() {
  TransOptions options;
  options.wait_result = true;
  options.concurrent = true;
  options.timeout_to_fail = 3s;
  options.request_timeout = 2s;
  options.retry_interval = 5s;
  options.retry_limit = 2;
  options.branch_headers["h"] = "v";
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Table, OptionsText,
    testing::Values(OptionsCase{"Defaults", {}, R"({"concurrent":false})"},
                    OptionsCase{"All", all_options(),
                                R"({"wait_result":true,"timeout_to_fail":3,"request_timeout":2,
                                    "retry_interval":5,"branch_headers":{"h":"v"},
                                    "concurrent":true,"retry_limit":2})"}),
    [](const auto& row) { return row.param.name; });

Transaction finished_saga() {
  Transaction trans;
  trans.gid = Gid{"g2"};
  trans.type = TransType::saga;
  trans.status = TransStatus::succeed;
  trans.options.wait_result = true;
  trans.create_time = noon;
  trans.update_time = noon + 47188302ns;
  trans.submit_time = noon;
  trans.finish_time = trans.update_time;
  trans.next_cron_interval = 10s;
  trans.next_cron_time = noon + 10s;
  trans.retry_count = 3;
  trans.payloads = {R"({"amount":30})"};
  for (const char* op : {"compensate", "action"}) {
    Branch& branch = trans.branches.emplace_back();
    branch.branch_id = BranchId{"01"};
    branch.op = op;
    branch.url = std::string{"http://b/"} + op;
    branch.create_time = noon;
    branch.update_time = noon;
  }
  trans.branches[1].status = BranchStatus::succeed;
  trans.branches[1].finish_time = noon + 1s;
  trans.branches[1].update_time = noon + 1s;
  return trans;
}

/// The answer without `why`, which the reference does not have.
json::value query_answer(Transaction trans, std::chrono::minutes offset) {
  Inspection inspection;
  inspection.trans = std::move(trans);
  json::value answer = json::parse(query_json(inspection, offset, modes));
  answer.as_object().erase("why");
  return answer;
}

TEST(QueryJson, LimitsTheBytesOfPayloads) {
  Transaction trans = finished_saga();
  trans.payloads = {std::string(3 << 20, 'x')};  // The branches of a topic share one payload.
  for (int i = 0; i < 100; ++i) trans.branches.push_back(trans.branches.front());
  const json::value answer = query_answer(trans, 0min);
  std::size_t shown = 0;
  for (const json::value& branch : answer.at("branches").as_array()) {
    const auto& members = branch.as_object();
    shown += members.contains("bin_data") ? 1 : 0;
    EXPECT_TRUE(members.contains("bin_data") || members.at("bin_data_left_out") == (3 << 20));
  }
  EXPECT_EQ(shown, 2u);
  EXPECT_EQ(answer.at("branches").as_array().size(), 102u);
}

TEST(QueryJson, ShowsATransactionInTheShapeOfTheSqlStores) {
  const json::value want = json::parse(
      R"({"transaction":{"id":0,"create_time":"2026-11-23T05:35:16Z",
            "update_time":"2026-11-23T05:35:16.047188302Z","gid":"g2","trans_type":"saga",
            "status":"succeed","protocol":"http","finish_time":"2026-11-23T05:35:16.047188302Z",
            "options":"{\"wait_result\":true,\"concurrent\":false}","next_cron_interval":10,
            "next_cron_time":"2026-11-23T05:35:26Z","concurrent":false},
          "branches":[{"id":0,"create_time":"2026-11-23T05:35:16Z",
            "update_time":"2026-11-23T05:35:16Z","gid":"g2","url":"http://b/compensate",
            "bin_data":"eyJhbW91bnQiOjMwfQ==","branch_id":"01","op":"compensate",
            "status":"prepared"},
           {"id":0,"create_time":"2026-11-23T05:35:16Z","update_time":"2026-11-23T05:35:17Z",
            "gid":"g2","url":"http://b/action","bin_data":"eyJhbW91bnQiOjMwfQ==","branch_id":"01",
            "op":"action","status":"succeed","finish_time":"2026-11-23T05:35:17Z"}]})");
  EXPECT_EQ(query_answer(finished_saga(), 0min), want);
}

TEST(QueryJson, ShowsWhatIsSet) {
  Transaction trans;
  trans.gid = Gid{"m"};
  trans.type = TransType::msg;
  trans.protocol = Protocol::grpc;
  trans.status = TransStatus::failed;
  trans.query_prepared = "h:1/q.Q/Q";
  trans.custom_data = R"({"delay":1})";
  trans.result = "cmVz";
  trans.rollback_reason = "poor \xFF";
  trans.create_time = trans.update_time = noon;
  trans.rollback_time = noon;
  const json::value want = json::parse(
      R"({"transaction":{"id":0,"create_time":"2026-11-23T13:35:16+08:00",
            "update_time":"2026-11-23T13:35:16+08:00","gid":"m","trans_type":"msg",
            "status":"failed","query_prepared":"h:1/q.Q/Q","protocol":"grpc","result":"cmVz",
            "rollback_reason":"poor )"
      "\xEF\xBF\xBD"
      R"(","custom_data":"{\"delay\":1}",
            "options":"{\"concurrent\":false}","rollback_time":"2026-11-23T13:35:16+08:00",
            "concurrent":false},"branches":[]})");
  EXPECT_EQ(query_answer(trans, 8h), want);
}

TEST(QueryJson, ShowsBranchesWithoutTimesAndPayload) {
  Transaction trans;
  trans.gid = Gid{"t"};
  trans.type = TransType::tcc;
  trans.create_time = trans.update_time = noon;
  trans.payloads = {""};
  Branch& branch = trans.branches.emplace_back();
  branch.branch_id = BranchId{"01"};
  branch.op = "confirm";
  const json::value answer = query_answer(trans, 0min);
  EXPECT_EQ(answer.at("branches"),
            json::parse(R"([{"id":0,"create_time":null,"update_time":null,"gid":"t",
                             "branch_id":"01","op":"confirm","status":"prepared"}])"));
}

TEST(QueryJson, ShowsTheStateAndReasonsOfATransaction) {
  Inspection inspection;
  inspection.trans.gid = Gid{"w"};
  inspection.activity = Activity::waiting;
  inspection.explanation = "the branch said \xFF";
  inspection.next_attempt = noon + 20s;
  Attempt attempt;
  attempt.time = noon;
  attempt.branch_id = "01";
  attempt.op = "action";
  attempt.url = "http://b/a";
  attempt.took = 1500us;
  attempt.answer = "500: oops";
  attempt.next_try = noon + 20s;
  inspection.attempts = {attempt};
  inspection.urls = {"http://b/a"};
  const json::value want =
      json::parse(R"({"state":"waiting","explanation":"the branch said )"
                  "\xEF\xBF\xBD"
                  R"(","next_attempt_time":"2026-11-23T05:35:36Z","end_time":null,)"
                  R"("urls":["http://b/a"],"attempts":[
          {"time":"2026-11-23T05:35:16Z","branch_id":"01","op":"action","url":"http://b/a",
           "latency_ms":1.5,"result":"error","answer":"500: oops",
           "next_try_time":"2026-11-23T05:35:36Z"}]})");
  EXPECT_EQ(json::parse(query_json(inspection, 0min, modes)).at("why"), want);
}

TEST(QueryJson, ShowsNullForAnUnknownGid) {
  EXPECT_EQ(json::parse(query_json(std::nullopt, 0min, modes)),
            json::parse(R"({"branches":[],"transaction":null})"));
}

TEST(PageJson, ShowsTransactionsAndCursor) {
  TransPage page;
  page.transactions.push_back(finished_saga());
  page.transactions.push_back(finished_saga());
  page.next_position = "17";
  const json::value answer = json::parse(page_json(page, 0min, modes));
  ASSERT_EQ(answer.at("transactions").as_array().size(), 2U);
  EXPECT_EQ(answer.at("transactions").at(1).at("gid"), "g2");
  EXPECT_EQ(answer.at("next_position"), "17");
}

TEST(PageJson, ShowsReasonsOnRequest) {
  TransPage page;
  page.transactions = {finished_saga(), finished_saga()};
  Inspection why;
  why.explanation = "because";
  const json::value answer = json::parse(page_json(page, 0min, modes, {std::nullopt, why}));
  EXPECT_FALSE(answer.at("transactions").at(0).as_object().contains("why"));
  EXPECT_EQ(answer.at("transactions").at(1).at("why").at("explanation"), "because");
}

TEST(PageJson, ShowsAnEmptyListOnAnEmptyPage) {
  EXPECT_EQ(json::parse(page_json({}, 0min, modes)),
            json::parse(R"({"transactions":[],"next_position":""})"));
}

TEST(SingleJson, EchoesThePosition) {
  const json::value answer = json::parse(single_json(finished_saga(), "p", 0min, modes));
  EXPECT_EQ(answer.at("transactions").as_array().size(), 1U);
  EXPECT_EQ(answer.at("transactions").at(0).at("gid"), "g2");
  EXPECT_EQ(answer.at("next_position"), "p");
}

TEST(SingleJson, NamesTheModeAsTheTableDoes) {
  constexpr TransType own_type{7};
  Mode own = concerto::modes::saga;
  own.type = own_type;
  own.name = "own";
  Transaction trans = finished_saga();
  trans.type = own_type;
  const auto shown_type = [&](const ModeTable& table) {
    const json::value answer = json::parse(single_json(trans, "", 0min, table));
    return answer.at("transactions").at(0).at("trans_type").as_string();
  };
  EXPECT_EQ(shown_type(ModeTable({&own})), "own");
  EXPECT_EQ(shown_type(modes), "unknown");
}

TEST(SingleJson, ShowsNullForAnUnknownGid) {
  EXPECT_EQ(json::parse(single_json(std::nullopt, "", 0min, modes)),
            json::parse(R"({"transactions":null,"next_position":""})"));
}

}  // namespace
}  // namespace concerto::net
