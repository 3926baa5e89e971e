#include "branch/branch_result.hpp"

#include <map>

#include <gtest/gtest.h>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/http_branch_caller.hpp>

#include "branch/rpc_request.hpp"

namespace concerto::net {
namespace {

struct ReplyCase {
  const char* name;
  GrpcCode code;
  const char* message;
  Outcome outcome;
  const char* text;
};

void PrintTo(const ReplyCase& row, std::ostream* out) {
  *out << row.name;
}

class Reply : public testing::TestWithParam<ReplyCase> {};

TEST_P(Reply, HasItsOutcome) {
  const BranchReply reply = branch_reply(GrpcReply::failure(GetParam().code, GetParam().message));
  EXPECT_EQ(reply.outcome, GetParam().outcome);
  EXPECT_EQ(reply.error.detail, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    BranchReply, Reply,
    testing::Values(
        ReplyCase{"Ok", GrpcCode::ok, "", Outcome::success, ""},
        ReplyCase{"Aborted", GrpcCode::aborted, "no money", Outcome::failure, "no money FAILURE"},
        ReplyCase{"AbortedWithSuffix", GrpcCode::aborted, "no money FAILURE", Outcome::failure,
                  "no money FAILURE"},
        ReplyCase{"AbortedAsGoZeroDoes", GrpcCode::aborted, "FAILURE", Outcome::failure,
                  "FAILURE FAILURE"},
        ReplyCase{"AbortedWithoutText", GrpcCode::aborted, "", Outcome::failure, " FAILURE"},
        ReplyCase{"AbortedOngoing", GrpcCode::aborted, "ONGOING", Outcome::ongoing, ""},
        ReplyCase{"AbortedAboutOngoing", GrpcCode::aborted, "is ONGOING", Outcome::failure,
                  "is ONGOING FAILURE"},
        ReplyCase{"FailedPrecondition", GrpcCode::failed_precondition, "FAILURE", Outcome::ongoing,
                  ""},
        ReplyCase{"NotFound", GrpcCode::not_found, "x", Outcome::error,
                  "rpc error: code = NotFound desc = x"},
        ReplyCase{"TextsDoNotDecideElsewhere", GrpcCode::internal, "FAILURE", Outcome::error,
                  "rpc error: code = Internal desc = FAILURE"},
        ReplyCase{"DeadlineExceeded", GrpcCode::deadline_exceeded, "late", Outcome::error,
                  "rpc error: code = DeadlineExceeded desc = late"},
        ReplyCase{"Cancelled", GrpcCode::cancelled, "", Outcome::error,
                  "rpc error: code = Canceled desc = "}),
    [](const auto& row) { return row.param.name; });

TEST(BranchReply, KeepsWhetherTheCallWasSent) {
  GrpcReply reply = GrpcReply::failure(GrpcCode::unavailable, "refused");
  EXPECT_EQ(branch_reply(reply).error.code, Condition::outcome_unknown);
  reply.sent = false;
  EXPECT_EQ(branch_reply(reply).error.code, Condition::retry_later);
}

struct ResultCase {
  const char* name;
  unsigned status;
  const char* body;
  Outcome want;
  const char* text;
};
void PrintTo(const ResultCase& row, std::ostream* out) {
  *out << row.name;
}

class HttpResult : public testing::TestWithParam<ResultCase> {};

TEST_P(HttpResult, IsJudged) {
  const BranchReply reply = judge_http_answer(GetParam().status, GetParam().body);
  EXPECT_EQ(reply.outcome, GetParam().want);
  EXPECT_EQ(reply.error.detail, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpResult,
    testing::Values(
        ResultCase{"Success", 200, "{\"dtm_result\":\"SUCCESS\"}", Outcome::success, ""},
        ResultCase{"EmptySuccess", 200, "", Outcome::success, ""},
        ResultCase{"Created", 201, "made", Outcome::error, "made"},
        ResultCase{"NoContent", 204, "", Outcome::error, "HTTP status 204 without a body"},
        ResultCase{"ServerError", 500, "oops", Outcome::error, "oops"},
        ResultCase{"Conflict", 409, "no money", Outcome::failure, "no money FAILURE"},
        ResultCase{"ConflictWithSuffix", 409, "no money FAILURE", Outcome::failure,
                   "no money FAILURE"},
        ResultCase{"ConflictEmpty", 409, "", Outcome::failure, " FAILURE"},
        ResultCase{"FailureInSuccess", 200, "{\"dtm_result\":\"FAILURE\"}", Outcome::failure,
                   "{\"dtm_result\":\"FAILURE\"} FAILURE"},
        ResultCase{"FailureInError", 500, "FAILURE", Outcome::failure, "FAILURE FAILURE"},
        ResultCase{"OngoingStatus", 425, "x", Outcome::ongoing, ""},
        ResultCase{"OngoingInSuccess", 200, "ONGOING", Outcome::ongoing, ""},
        ResultCase{"OngoingInConflict", 409, "xONGOINGx", Outcome::ongoing, ""},
        ResultCase{"OngoingBeforeFailure", 200, "FAILURE ONGOING", Outcome::ongoing, ""},
        ResultCase{"FailureWithOngoingStatus", 425, "FAILURE", Outcome::ongoing, ""},
        ResultCase{"CaseMatters", 200, "failure ongoing", Outcome::success, ""}),
    [](const auto& row) { return row.param.name; });

TEST(HttpResult, ResultWordsBeyondTheKeptBytesCount) {
  EXPECT_EQ(judge_http_answer(200, "x", 0b01).outcome, Outcome::ongoing);
  EXPECT_EQ(judge_http_answer(200, "x", 0b10).outcome, Outcome::failure);
  EXPECT_EQ(judge_http_answer(500, "x", 0b11).outcome, Outcome::ongoing);
}

TEST(HttpResult, FullTextHasStatusAndBody) {
  EXPECT_EQ(judge_http_answer(500, "oops").full_text, "HTTP status 500: oops");
  EXPECT_EQ(judge_http_answer(502, "<html>").full_text, "HTTP status 502: <html>");
  EXPECT_EQ(judge_http_answer(200, "").full_text, "");
}

class RpcResult : public testing::TestWithParam<ResultCase> {};

TEST_P(RpcResult, IsJudged) {
  const BranchReply reply = judge_rpc_answer(GetParam().status, GetParam().body);
  EXPECT_EQ(reply.outcome, GetParam().want);
  EXPECT_EQ(reply.error.detail, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RpcResult,
    testing::Values(
        ResultCase{"NullError", 200, R"({"error":null,"result":1})", Outcome::success, ""},
        ResultCase{"NoError", 200, R"({"result":null})", Outcome::success, ""},
        ResultCase{"Failure", 200, R"({"error":{"code":-32901,"message":"no money"}})",
                   Outcome::failure, "no money FAILURE"},
        ResultCase{"FailureAsFloat", 200, R"({"error":{"code":-32901.0,"message":"no"}})",
                   Outcome::failure, "no FAILURE"},
        ResultCase{"Ongoing", 200, R"({"error":{"code":-32902}})", Outcome::ongoing, ""},
        ResultCase{"SubstringDecidesFirst", 200, R"({"error":{"code":-32901,"message":"ONGOING"}})",
                   Outcome::ongoing, ""},
        ResultCase{"OtherCode", 200, R"({"error":{"code":-32603}})", Outcome::error,
                   R"(JSON-RPC error: {"error":{"code":-32603}})"},
        ResultCase{"ErrorOfOtherType", 200, R"({"error":"x"})", Outcome::error,
                   R"(not a JSON-RPC error: {"error":"x"})"},
        ResultCase{"NotJson", 200, "hello", Outcome::error, "not a JSON-RPC answer: hello"},
        ResultCase{"NotAnObject", 200, "[]", Outcome::error, "not a JSON-RPC answer: []"},
        ResultCase{"HttpError", 500, "oops", Outcome::error, "oops"},
        ResultCase{"HttpConflict", 409, "oops", Outcome::failure, "oops FAILURE"}),
    [](const auto& row) { return row.param.name; });

TEST(HttpResult, CutsLongTexts) {
  const std::string body(100'000, 'x');
  const auto error = judge_http_answer(500, body);
  EXPECT_EQ(error.error.detail.size(), HttpBranchCaller::error_text_bytes_max);
  const auto failure = judge_http_answer(409, body);
  EXPECT_TRUE(failure.error.detail.ends_with("x FAILURE"));
}

struct RpcBodyCase {
  const char* name;
  const char* url;
  const char* payload;
  const char* want;
};
void PrintTo(const RpcBodyCase& row, std::ostream* out) {
  *out << row.name;
}

class RpcBody : public testing::TestWithParam<RpcBodyCase> {};

TEST_P(RpcBody, HasTheCallInItsParams) {
  const Gid gid{"g\"1"};
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::saga;
  call.branch_id = "01";
  call.op = "action";
  call.url = GetParam().url;
  call.payload = GetParam().payload;
  const auto body = rpc_request_body(call, "i1");
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, GetParam().want);
}

#define OWN "\"branch_id\":\"01\",\"gid\":\"g\\\"1\",\"op\":\"action\",\"trans_type\":\"saga\""
#define RPC(method, rest) \
  "{\"id\":\"i1\",\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":{" OWN rest "}"

INSTANTIATE_TEST_SUITE_P(
    Table, RpcBody,
    testing::Values(
        RpcBodyCase{"Object", "http://b?method=In&x=1", "{\"amount\":30}",
                    RPC("In", ",\"amount\":30}")},
        RpcBodyCase{"NumbersKeepTheirForm", "http://b?method=In",
                    " {\"a\":30.10,\"b\":123456789012345678901}",
                    RPC("In", ",\"a\":30.10,\"b\":123456789012345678901}")},
        RpcBodyCase{"EmptyPayload", "http://b?method=In", "", RPC("In", "}")},
        RpcBodyCase{"EmptyObject", "http://b?method=In", "{ }", RPC("In", "}")},
        RpcBodyCase{"Overrides", "http://b?method=In", "{\"gid\":1,\"a\":2,\"op\":null}",
                    RPC("In", ",\"a\":2}")},
        RpcBodyCase{"OverridesAll", "http://b?method=In", "{\"gid\":1}", RPC("In", "}")},
        RpcBodyCase{"DecodesTheMethod", "http://b?x&method=a%22b#f", "{}", RPC("a\\\"b", "}")},
        RpcBodyCase{"MethodThatIsNotUtf8", "http://b?method=a%FFb", "{}",
                    RPC("a\xEF\xBF\xBD"
                        "b",
                        "}")},
        RpcBodyCase{"MethodElsewhere", "http://b/method", "{}", RPC("", "}")}),
    [](const auto& row) { return row.param.name; });

TEST(RpcBody, RefusesPayloadsThatAreNoObject) {
  const Gid gid{"g"};
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::saga;
  call.url = "http://b?method=x";
  for (const char* payload : {"[]", "1", "{", "{}x", "null"}) {
    call.payload = payload;
    const auto body = rpc_request_body(call, "i1");
    ASSERT_FALSE(body) << payload;
    EXPECT_EQ(body.error().code, HttpErrc::bad_payload);
  }
}

}  // namespace
}  // namespace concerto::net
