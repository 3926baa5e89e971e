#include "scenario.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <concerto/protocol/request_messages.hpp>

#include "checker.hpp"
#include "encoding.hpp"

namespace concerto::load {
namespace {

namespace json = boost::json;

LoadOptions options_of(LoadMode mode) {
  LoadOptions options;
  options.mode = mode;
  options.payload = "pay";
  return options;
}

Scenario scenario_of(LoadMode mode, bool wait = true) {
  LoadOptions options = options_of(mode);
  options.wait = wait;
  return make_scenario(options, {{"A1", "C1"}, {"A2", "C2"}}, "Q");
}

/// Requests as HTTP sends them: the path's last part and the body.
std::vector<std::pair<std::string, json::value>> http_requests(const Scenario& scenario) {
  std::vector<std::pair<std::string, json::value>> out;
  for (const Request& request : scenario.requests) {
    const EncodedRequest encoded = encode(Wire::http, request);
    const std::string name = encoded.target.substr(encoded.target.rfind('/') + 1);
    out.emplace_back(name, json::parse(with_gid(Wire::http, encoded, "g-1")));
  }
  return out;
}

struct ModeCase {
  const char* name;
  LoadMode mode;
  std::vector<std::pair<std::string, const char*>> want;
};

void PrintTo(const ModeCase& row, std::ostream* out) {
  *out << row.name;
}

class ScenarioOverHttp : public testing::TestWithParam<ModeCase> {};

TEST_P(ScenarioOverHttp, SendsTheseRequests) {
  const auto requests = http_requests(scenario_of(GetParam().mode));
  ASSERT_EQ(requests.size(), GetParam().want.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].first, GetParam().want[i].first);
    EXPECT_EQ(requests[i].second, json::parse(GetParam().want[i].second));
  }
}

const ModeCase mode_cases[] = {
    {"Saga",
     LoadMode::saga,
     {{"submit", R"({"gid":"g-1","trans_type":"saga","wait_result":true,"payloads":["pay","pay"],
        "steps":[{"action":"A1","compensate":"C1"},{"action":"A2","compensate":"C2"}]})"}}},
    {"TwoPhaseMessage",
     LoadMode::msg_2p,
     {{"prepare", R"({"gid":"g-1","trans_type":"msg","wait_result":true,"query_prepared":"Q",
        "payloads":["pay","pay"],
        "steps":[{"action":"A1","compensate":"C1"},{"action":"A2","compensate":"C2"}]})"},
      {"submit", R"({"gid":"g-1","trans_type":"msg","wait_result":true,"query_prepared":"Q",
        "payloads":["pay","pay"],
        "steps":[{"action":"A1","compensate":"C1"},{"action":"A2","compensate":"C2"}]})"}}},
    {"Tcc",
     LoadMode::tcc,
     {{"prepare", R"({"gid":"g-1","trans_type":"tcc","wait_result":true})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"tcc","branch_id":"01","data":"pay",
        "confirm":"A1","cancel":"C1"})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"tcc","branch_id":"02","data":"pay",
        "confirm":"A2","cancel":"C2"})"},
      {"submit", R"({"gid":"g-1","trans_type":"tcc","wait_result":true})"}}},
    {"Xa",
     LoadMode::xa,
     {{"prepare", R"({"gid":"g-1","trans_type":"xa","wait_result":true})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"xa","branch_id":"01","url":"A1"})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"xa","branch_id":"02","url":"A2"})"},
      {"submit", R"({"gid":"g-1","trans_type":"xa","wait_result":true})"}}},
    {"Workflow",
     LoadMode::workflow,
     {{"prepareWorkflow", R"({"gid":"g-1","trans_type":"workflow","query_prepared":"Q",
        "custom_data":"{\"name\":\"load\",\"data\":\"\"}"})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"workflow","branch_id":"01","data":"pay",
        "op":"action","status":"succeed"})"},
      {"registerBranch", R"({"gid":"g-1","trans_type":"workflow","branch_id":"02","data":"pay",
        "op":"action","status":"succeed"})"},
      {"submit", R"({"gid":"g-1","trans_type":"workflow","req_extra":{"status":"succeed"}})"}}},
};
INSTANTIATE_TEST_SUITE_P(All, ScenarioOverHttp, testing::ValuesIn(mode_cases),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Scenario, OfAMessageHasOneRequest) {
  EXPECT_EQ(scenario_of(LoadMode::msg).requests.size(), 1U);
}

TEST(Scenario, WithoutWaitingEndsLater) {
  EXPECT_TRUE(scenario_of(LoadMode::saga).ends_with_reply);
  EXPECT_FALSE(scenario_of(LoadMode::saga, false).ends_with_reply);
  EXPECT_TRUE(scenario_of(LoadMode::workflow).ends_with_reply);
}

using Calls = std::vector<ExpectedCall>;

TEST(Scenario, RequiresTheForwardCalls) {
  const auto calls = [](LoadMode mode, std::size_t branches) {
    return required_calls(mode, branches).to_succeed;
  };
  EXPECT_EQ(calls(LoadMode::saga, 2), (Calls{{"01", "action"}, {"02", "action"}}));
  EXPECT_EQ(calls(LoadMode::tcc, 1), (Calls{{"01", "confirm"}}));
  EXPECT_EQ(calls(LoadMode::xa, 1), (Calls{{"01", "commit"}}));
  EXPECT_EQ(calls(LoadMode::workflow, 2), Calls{});
}

TEST(Scenario, RequiresTheCallsThatRollBack) {
  const auto calls = [](LoadMode mode, std::size_t branches) {
    return required_calls(mode, branches).to_roll_back;
  };
  EXPECT_EQ(
      calls(LoadMode::saga, 2),
      (Calls{{"01", "action"}, {"02", "action"}, {"01", "compensate"}, {"02", "compensate"}}));
  EXPECT_EQ(calls(LoadMode::tcc, 1), (Calls{{"01", "cancel"}}));
  EXPECT_EQ(calls(LoadMode::xa, 1), (Calls{{"01", "rollback"}}));
  EXPECT_EQ(calls(LoadMode::msg, 2), Calls{});
}

TEST(Scenario, ThatFailsOnPurposeEndsWithAnAbort) {
  for (const LoadMode mode : {LoadMode::tcc, LoadMode::xa}) {
    const Scenario scenario = scenario_of(mode);
    ASSERT_EQ(scenario.to_abort.size(), scenario.requests.size());
    EXPECT_EQ(encode(Wire::http, scenario.to_abort.back()).target, "/api/dtmsvr/abort");
    EXPECT_EQ(encode(Wire::grpc, scenario.to_abort.back()).target, "/dtmgimp.Dtm/Abort");
  }
  EXPECT_TRUE(scenario_of(LoadMode::saga).to_abort.empty());
}

TEST(Scenario, WithErrorsOnPurposeIsTriedAgainSoon) {
  LoadOptions options = options_of(LoadMode::saga);
  options.purposes.error_share = 0.1;
  const Scenario scenario = make_scenario(options, {{"A", "C"}}, "Q");
  const auto& request = std::get<TransRequest>(scenario.requests.front().content);
  EXPECT_EQ(request.options.retry_interval, std::chrono::seconds(1));
}

TEST(GrpcEncoding, OfASubmitHasEveryField) {
  const EncodedRequest encoded = encode(Wire::grpc, scenario_of(LoadMode::msg_2p).requests.front());
  EXPECT_EQ(encoded.target, "/dtmgimp.Dtm/Prepare");
  const auto request = net::trans_request_from_proto(with_gid(Wire::grpc, encoded, "g-1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->gid.view(), "g-1");
  EXPECT_EQ(request->trans_type, "msg");
  EXPECT_TRUE(request->options.wait_result);
  EXPECT_EQ(request->query_prepared, "Q");
  EXPECT_EQ(request->payloads, (std::vector<std::string>{"pay", "pay"}));
  ASSERT_EQ(request->steps.size(), 2U);
  EXPECT_EQ(request->steps[1].action, "A2");
}

TEST(GrpcEncoding, OfABranchHasEveryField) {
  const EncodedRequest encoded = encode(Wire::grpc, scenario_of(LoadMode::tcc).requests[2]);
  EXPECT_EQ(encoded.target, "/dtmgimp.Dtm/RegisterBranch");
  const auto request = net::branch_request_from_proto(with_gid(Wire::grpc, encoded, "g-1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->gid.view(), "g-1");
  EXPECT_EQ(request->trans_type, "tcc");
  EXPECT_EQ(request->branch_id, "02");
  EXPECT_EQ(request->payload, "pay");
  EXPECT_EQ(request->fields.at("confirm"), "A2");
  EXPECT_EQ(request->fields.at("cancel"), "C2");
}

TEST(GrpcEncoding, OfAWorkflowsEndHasItsStatus) {
  const EncodedRequest encoded =
      encode(Wire::grpc, scenario_of(LoadMode::workflow).requests.back());
  const auto request = net::trans_request_from_proto(with_gid(Wire::grpc, encoded, "g-1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->extra.at("status"), "succeed");
}

struct StoredCase {
  const char* name;
  bool fails;  ///< on purpose
  const char* answer;
  Stored want;
};

void PrintTo(const StoredCase& row, std::ostream* out) {
  *out << row.name;
}

class StoredAnswer : public testing::TestWithParam<StoredCase> {};

TEST_P(StoredAnswer, IsJudged) {
  const Scenario scenario = scenario_of(LoadMode::saga);
  EXPECT_EQ(judge_stored(scenario, GetParam().fails, GetParam().answer), GetParam().want);
}

const StoredCase stored_cases[] = {
    {"Succeeded", false,
     R"({"transaction":{"status":"succeed"},"branches":[{"op":"compensate","status":"prepared"},
        {"op":"action","status":"succeed"},{"op":"action","status":"succeed"}]})",
     Stored::as_it_must_be},
    {"BranchIsPrepared", false,
     R"({"transaction":{"status":"succeed"},"branches":[{"op":"action","status":"prepared"},
        {"op":"action","status":"succeed"},{"op":"action","status":"succeed"}]})",
     Stored::wrong},
    {"BranchIsMissing", false,
     R"({"transaction":{"status":"succeed"},"branches":[{"op":"action","status":"succeed"}]})",
     Stored::wrong},
    {"Failed", false, R"({"transaction":{"status":"failed"},"branches":[]})", Stored::wrong},
    {"RollsBack", false, R"({"transaction":{"status":"aborting"},"branches":[]})", Stored::wrong},
    {"Unfinished", false, R"({"transaction":{"status":"submitted"},"branches":[]})",
     Stored::unfinished},
    {"Lost", false, R"({"transaction":null,"branches":[]})", Stored::lost},
    {"NoJson", false, "succeed", Stored::wrong},
    {"NoObject", false, "[]", Stored::wrong},
    {"RolledBackOnPurpose", true,
     R"({"transaction":{"status":"failed"},"branches":[{"op":"compensate","status":"succeed"},
        {"op":"action","status":"succeed"},{"op":"compensate","status":"succeed"},
        {"op":"action","status":"failed"}]})",
     Stored::as_it_must_be},
    {"NotCompensated", true,
     R"({"transaction":{"status":"failed"},"branches":[{"op":"compensate","status":"prepared"},
        {"op":"action","status":"succeed"},{"op":"compensate","status":"succeed"},
        {"op":"action","status":"failed"}]})",
     Stored::wrong},
    {"RollsBackOnPurpose", true, R"({"transaction":{"status":"aborting"},"branches":[]})",
     Stored::unfinished},
    {"SucceededAgainstItsPurpose", true,
     R"({"transaction":{"status":"succeed"},"branches":[{"op":"action","status":"succeed"},
        {"op":"action","status":"succeed"}]})",
     Stored::wrong},
};
INSTANTIATE_TEST_SUITE_P(All, StoredAnswer, testing::ValuesIn(stored_cases),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace concerto::load
