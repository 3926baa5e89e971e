#include "api/request_json.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(RequestJson, TakesTheSampleOfTheGoClient) {
  const auto request = trans_request_from_json(
      R"({"gid":"UU4yPVVoCv45FJaCRigbGk","trans_type":"saga","wait_result":true,"concurrent":false,
          "steps":[{"action":"http://b/Out","compensate":"http://b/OutRevert"},
                   {"action":"http://b/In","compensate":"http://b/InRevert"}],
          "payloads":["{\"amount\":30}","{\"amount\":30}"],"protocol":""})");
  ASSERT_TRUE(request) << request.error().detail;
  EXPECT_EQ(request->gid.str(), "UU4yPVVoCv45FJaCRigbGk");
  EXPECT_EQ(request->trans_type, "saga");
  EXPECT_EQ(request->protocol, "");
  EXPECT_TRUE(request->options.wait_result);
  EXPECT_FALSE(request->options.concurrent);
  ASSERT_EQ(request->steps.size(), 2U);
  EXPECT_EQ(request->steps[1].action, "http://b/In");
  EXPECT_EQ(request->steps[1].compensate, "http://b/InRevert");
  EXPECT_THAT(request->payloads, ElementsAre(R"({"amount":30})", R"({"amount":30})"));
}

TEST(RequestJson, TakesEveryField) {
  const auto request = trans_request_from_json(
      R"({"custom_data":"{\"delay\":10}","query_prepared":"http://b/q","rollback_reason":"poor",
          "protocol":"json-rpc","concurrent":true,"timeout_to_fail":3,"request_timeout":2,
          "retry_interval":5,"retry_limit":7,"branch_headers":{"H":"v","empty":null}})");
  ASSERT_TRUE(request) << request.error().detail;
  EXPECT_EQ(request->custom_data, R"({"delay":10})");
  EXPECT_EQ(request->query_prepared, "http://b/q");
  EXPECT_EQ(request->rollback_reason, "poor");
  EXPECT_EQ(request->protocol, "json-rpc");
  EXPECT_TRUE(request->options.concurrent);
  EXPECT_EQ(request->options.timeout_to_fail, 3s);
  EXPECT_EQ(request->options.request_timeout, 2s);
  EXPECT_EQ(request->options.retry_interval, 5s);
  EXPECT_EQ(request->options.retry_limit, 7);
  EXPECT_THAT(request->options.branch_headers, ElementsAre(Pair("H", "v"), Pair("empty", "")));
}

struct AcceptCase {
  const char* name;
  std::string body;
  std::function<std::string(const TransRequest&)> read;
  std::string want;
};

void PrintTo(const AcceptCase& row, std::ostream* out) {
  *out << row.name;
}

std::string gid_of(const TransRequest& request) {
  return request.gid.str();
}
std::string type_of(const TransRequest& request) {
  return request.trans_type;
}
std::string timeout_of(const TransRequest& request) {
  return std::to_string(request.options.timeout_to_fail.count());
}
std::string steps_of(const TransRequest& request) {
  std::string text;
  for (const Step& step : request.steps) text += step.action + "/" + step.compensate + ";";
  return text;
}
std::string payloads_of(const TransRequest& request) {
  std::string text;
  for (const std::string& payload : request.payloads) text += payload + ";";
  return text;
}
std::string header_of(const TransRequest& request) {
  return request.options.branch_headers.at("h");
}

class Accepts : public testing::TestWithParam<AcceptCase> {};

TEST_P(Accepts, Body) {
  const auto request = trans_request_from_json(GetParam().body);
  ASSERT_TRUE(request) << request.error().detail;
  EXPECT_EQ(GetParam().read(*request), GetParam().want);
}

const std::string surplus_brackets = std::string(900, '[') + std::string(900, ']');

const std::string zeros = [] {
  std::string text;
  for (std::size_t i = 0; i < json_values_max; ++i) text += "0,";
  return text;
}();

INSTANTIATE_TEST_SUITE_P(
    RequestJson, Accepts,
    testing::Values(
        AcceptCase{"NoFields", "{}", gid_of, ""},
        AcceptCase{"BlanksAround", " \r\n{\"gid\":\"g\"}\n ", gid_of, "g"},
        AcceptCase{"NullIsAbsent", R"({"gid":null,"steps":null,"timeout_to_fail":null})", steps_of,
                   ""},
        AcceptCase{"UnknownFields", R"({"nonsense":{"gid":1},"gid":"g"})", gid_of, "g"},
        AcceptCase{"DeepUnknownField", R"({"x":)" + surplus_brackets + R"(,"gid":"g"})", gid_of,
                   "g"},
        AcceptCase{"StorageFields",
                   R"({"gid":"g","id":"x","status":7,"create_time":1,"options":[],"owner":{},)"
                   R"("ext_data":0,"retry_count":"9","result":1})",
                   gid_of, "g"},
        AcceptCase{"OtherCase", R"({"GID":"g"})", gid_of, "g"},
        AcceptCase{"MixedCase", R"({"Trans_Type":"msg"})", type_of, "msg"},
        AcceptCase{"LastOneWins", R"({"gid":"a","gid":"b"})", gid_of, "b"},
        AcceptCase{"NullDoesNotReplace", R"({"gid":"a","Gid":null})", gid_of, "a"},
        AcceptCase{"GidIsStripped", R"({"gid":"g;x\ny\r"})", gid_of, "gxy"},
        AcceptCase{"OtherTextsAreNotStripped", R"({"trans_type":"a;b\nc"})", type_of, "a;b\nc"},
        AcceptCase{"NegativeNumber", R"({"timeout_to_fail":-1})", timeout_of, "-1"},
        AcceptCase{"LargestNumber", R"({"timeout_to_fail":9223372036854775807})", timeout_of,
                   "9223372036854775807"},
        AcceptCase{"StepWithoutCompensate", R"({"steps":[{"action":"a"}]})", steps_of, "a/;"},
        AcceptCase{"StepOfNull", R"({"steps":[null,{"action":null}]})", steps_of, "/;/;"},
        AcceptCase{"StepNamesHaveTheirCase", R"({"steps":[{"Action":"a"}]})", steps_of, "/;"},
        AcceptCase{"LegacyData",
                   R"({"steps":[{"action":"a","data":"1"},{"action":"b","data":"2"}]})",
                   payloads_of, "1;2;"},
        AcceptCase{"LegacyDataFollowsPayloads",
                   R"({"steps":[{"data":"1"},{"data":""},{"data":"3"}],"payloads":["p","q"]})",
                   payloads_of, "p;q;1;3;"},
        AcceptCase{"PayloadOfNull", R"({"payloads":[null,"x"]})", payloads_of, ";x;"},
        AcceptCase{"HeaderOfNull", R"({"branch_headers":{"h":null}})", header_of, ""},
        AcceptCase{"EscapedText", R"({"gid":"\u0067\ud83d\udcb0"})", gid_of, "g\xF0\x9F\x92\xB0"},
        AcceptCase{"LoneSurrogate", R"({"gid":"a\ud83dz","trans_type":"\\ud800"})", gid_of,
                   "a\xEF\xBF\xBDz"},
        AcceptCase{"EscapedBackslashIsNoSurrogate", R"({"gid":"\udc00","trans_type":"\\ud800"})",
                   type_of, "\\ud800"},
        AcceptCase{"BytesThatAreNotUtf8", "{\"gid\":\"a\xFFz\"}", gid_of, "a\xEF\xBF\xBDz"}),
    [](const auto& row) { return row.param.name; });

struct RefuseCase {
  const char* name;
  std::string body;
  std::string want;  ///< part of the error's text
};

void PrintTo(const RefuseCase& row, std::ostream* out) {
  *out << row.name;
}

class Refuses : public testing::TestWithParam<RefuseCase> {};

TEST_P(Refuses, Body) {
  const auto request = trans_request_from_json(GetParam().body);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, Errc::invalid_request);
  EXPECT_THAT(request.error().detail, HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    RequestJson, Refuses,
    testing::Values(
        RefuseCase{"Empty", "", "the request body is not JSON: incomplete JSON at byte 0 of 0"},
        RefuseCase{"NotJson", "gid=g", "the request body is not JSON: syntax error at byte 0 of 5"},
        RefuseCase{"CutOff", R"({"gid":"g)", "at byte 9 of 9"},
        RefuseCase{"TwoValues", "{} {}", "extra data at byte 3 of 5"},
        RefuseCase{"TrailingComma", R"({"gid":"g",})", "syntax error at byte 11"},
        RefuseCase{"BadEscape", R"({"gid":"\ud8zz"})", "not JSON"},
        RefuseCase{"TooDeep", std::string(1001, '[') + std::string(1001, ']'), "too deep"},
        RefuseCase{"TooManyValues", R"({"gid":"g","x":[)" + zeros + "0]}",
                   "not JSON: more than 500000 values at byte"},
        RefuseCase{"TextInsteadOfObject", R"("g")",
                   "the request body must be a JSON object, but is a string"},
        RefuseCase{"NullInsteadOfObject", "null", "but is null"},
        RefuseCase{"ArrayInsteadOfObject", "[]", "but is an array"},
        RefuseCase{"GidIsNumber", R"({"gid":7})", "field 'gid' must be a string, but is a number"},
        RefuseCase{"NameInOtherCaseIsNamedRight", R"({"GID":true})",
                   "field 'gid' must be a string, but is a boolean"},
        RefuseCase{"TypeIsObject", R"({"trans_type":{}})",
                   "field 'trans_type' must be a string, but is an object"},
        RefuseCase{"WaitIsText", R"({"wait_result":"true"})",
                   "field 'wait_result' must be a boolean, but is a string"},
        RefuseCase{"TimeoutIsText", R"({"timeout_to_fail":"3"})",
                   "field 'timeout_to_fail' must be an integer, but is a string"},
        RefuseCase{"TimeoutHasFraction", R"({"timeout_to_fail":1.5})",
                   "field 'timeout_to_fail' must be an integer, but is a number with fraction"},
        RefuseCase{"TimeoutIsTooLarge", R"({"timeout_to_fail":9223372036854775808})",
                   "field 'timeout_to_fail' is out of range: 9223372036854775808"},
        RefuseCase{"LimitIsHuge", R"({"retry_limit":1e300})", "field 'retry_limit' must be"},
        RefuseCase{"StepsAreText", R"({"steps":"[]"})",
                   "field 'steps' must be an array, but is a string"},
        RefuseCase{"StepIsText", R"({"steps":[{},"a"]})",
                   "field 'steps[1]' must be an object, but is a string"},
        RefuseCase{"ActionIsNumber", R"({"steps":[{"action":1}]})",
                   "field 'steps[0].action' must be a string, but is a number"},
        RefuseCase{"UnknownStepValueIsNumber", R"({"steps":[{"x":1}]})",
                   "field 'steps[0].x' must be a string"},
        RefuseCase{"PayloadIsObject", R"({"payloads":["",{"amount":30}]})",
                   "field 'payloads[1]' must be a string, but is an object"},
        RefuseCase{"HeadersAreArray", R"({"branch_headers":["h"]})",
                   "field 'branch_headers' must be an object, but is an array"},
        RefuseCase{"HeaderIsNumber", R"({"branch_headers":{"h":1}})",
                   "field 'branch_headers.h' must be a string, but is a number"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::net
