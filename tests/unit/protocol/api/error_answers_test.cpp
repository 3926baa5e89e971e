#include "api/error_answers.hpp"

#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/error.hpp>
#include <concerto/transport/http_error.hpp>

namespace concerto::net {
namespace {

struct AnswerCase {
  const char* name;
  Error error;
  unsigned http_status;
  std::string http_body;
  GrpcCode grpc_code;
  std::string grpc_message;
};

void PrintTo(const AnswerCase& row, std::ostream* out) {
  *out << row.name;
}

class Answer : public testing::TestWithParam<AnswerCase> {};

TEST_P(Answer, OverHttp) {
  const HttpResponse response = http_answer(GetParam().error);
  EXPECT_EQ(response.status, GetParam().http_status);
  EXPECT_EQ(response.body, GetParam().http_body);
  EXPECT_EQ(response.content_type, json_content_type);
  const error_code code = GetParam().error.code;
  const bool is_late = code == EngineErrc::store_late || code == EngineErrc::store_failed;
  const bool says_when = code == Errc::overloaded || code == EngineErrc::store_busy || is_late;
  EXPECT_EQ(response.headers.contains("Retry-After"), says_when);
  EXPECT_EQ(response.headers.find("Concerto-Outcome").value_or(""), is_late ? "unknown" : "");
}

TEST_P(Answer, OverGrpc) {
  const GrpcStatus status = grpc_answer(GetParam().error);
  EXPECT_EQ(status.code, GetParam().grpc_code);
  EXPECT_EQ(status.message, GetParam().grpc_message);
}

AnswerCase plain(const char* name, error_code code, unsigned status, GrpcCode grpc) {
  return {name, Error{code, "why"}, status, R"({"message":"why"})", grpc, "why"};
}

/// The detail of trouble with the store is for operators. Clients get a sentence.
AnswerCase store(const char* name, EngineErrc code, const std::string& sentence) {
  return {name,
          make_error(code, "PostgreSQL: connection to db1 failed: user \"dtm\": relation \"kv\""),
          503,
          R"({"message":")" + sentence + R"("})",
          GrpcCode::unavailable,
          sentence};
}

AnswerCase failure(const char* name, EngineErrc code) {
  return {name,
          make_error(code, "no FAILURE"),
          409,
          R"({"dtm_result":"FAILURE","message":"no FAILURE"})",
          GrpcCode::aborted,
          "no FAILURE"};
}

AnswerCase branch(const char* name, const GrpcStatus& status, GrpcCode want) {
  const Error error = to_error(status);
  return {name, error, 500, R"({"message":")" + error.detail + R"("})", want, error.detail};
}

INSTANTIATE_TEST_SUITE_P(
    Table, Answer,
    testing::Values(
        failure("StatusConflict", EngineErrc::status_conflict),
        failure("TransFailed", EngineErrc::trans_failed),
        failure("ResultNotSuccess", EngineErrc::result_not_success),
        failure("BranchFailure", EngineErrc::branch_failure),
        AnswerCase{"BranchOngoing", make_error(EngineErrc::branch_ongoing, "ONGOING"), 425,
                   R"({"dtm_result":"ONGOING","message":"ONGOING"})", GrpcCode::failed_precondition,
                   "ONGOING"},
        plain("Overloaded", Errc::overloaded, 503, GrpcCode::resource_exhausted),
        plain("ShuttingDown", Errc::shutting_down, 503, GrpcCode::unavailable),
        store("StoreBusy", EngineErrc::store_busy,
              "the store is away or too busy at the moment, and nothing was changed: try again"),
        store(
            "StoreLate", EngineErrc::store_late,
            "the store has not answered in time, and the outcome is not known, because the request "
            "goes on: query the transaction, or repeat the request with the same gid"),
        store("StoreFailed", EngineErrc::store_failed,
              "the store has trouble at the moment, and the outcome is not known: query the "
              "transaction, or repeat the request"),
        store("StoreUnavailable", EngineErrc::store_unavailable,
              "the store does not take this request at the moment: try again"),
        plain("DeadlineExceeded", Errc::deadline_exceeded, 503, GrpcCode::deadline_exceeded),
        plain("InvalidRequest", Errc::invalid_request, 500, GrpcCode::internal),
        plain("NotSupported", Errc::not_supported, 500, GrpcCode::internal),
        plain("TransNotFound", EngineErrc::trans_not_found, 500, GrpcCode::internal),
        plain("GidExists", EngineErrc::gid_exists, 500, GrpcCode::internal),
        plain("StatusMismatch", EngineErrc::status_mismatch, 500, GrpcCode::internal),
        plain("StoreDamaged", EngineErrc::store_damaged, 500, GrpcCode::internal),
        plain("BranchExists", EngineErrc::branch_exists, 500, GrpcCode::unknown),
        plain("BranchError", EngineErrc::branch_error, 500, GrpcCode::unknown),
        plain("KeyNotFound", EngineErrc::key_not_found, 500, GrpcCode::unknown),
        plain("KeyExists", EngineErrc::key_exists, 500, GrpcCode::unknown),
        branch("GrpcNotFound", {GrpcCode::not_found, "x"}, GrpcCode::not_found),
        branch("GrpcUnavailable", {GrpcCode::unavailable, "x"}, GrpcCode::unavailable),
        AnswerCase{"GrpcOkIsNoError", Error{GrpcCode::ok, "x"}, 500, R"({"message":"x"})",
                   GrpcCode::unknown, "x"},
        AnswerCase{"HttpBranch", make_error(HttpErrc::connect_failed, "x"), 500,
                   R"({"message":"x"})", GrpcCode::unknown, "x"},
        AnswerCase{"NoDetail", Error{EngineErrc::status_mismatch, ""}, 500,
                   R"({"message":"status is not the expected one"})", GrpcCode::internal,
                   "status is not the expected one"},
        AnswerCase{"TextThatJsonEscapes", make_error(Errc::invalid_request, "a \"b\"\n\xFF"), 500,
                   "{\"message\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\"}", GrpcCode::internal,
                   "a \"b\"\n\xFF"}),
    [](const auto& row) { return row.param.name; });

std::vector<error_code> codes_of_the_core() {
  std::vector<error_code> codes;
  for (int value = 1; value <= static_cast<int>(Errc::deadline_exceeded); ++value) {
    codes.emplace_back(static_cast<Errc>(value));
  }
  for (int value = 1; value <= static_cast<int>(EngineErrc::store_damaged); ++value) {
    codes.emplace_back(static_cast<EngineErrc>(value));
  }
  return codes;
}

TEST(Answer, HasAClassForEveryErrorOfTheCore) {
  for (const error_code code : codes_of_the_core()) {
    const Error error{code, "why"};
    EXPECT_NE(grpc_answer(error).code, GrpcCode::ok) << error.code.message();
    EXPECT_GE(http_answer(error).status, 400U) << error.code.message();
    // If something may have happened, the answer is never "did not and will not happen". The
    // exceptions are awaited results for which the protocol defines 409.
    const bool defined =
        error.code == EngineErrc::result_not_success || error.code == EngineErrc::branch_failure;
    if (error.code == Condition::outcome_unknown && !defined) {
      EXPECT_NE(http_answer(error).status, 409U) << error.code.message();
      EXPECT_NE(grpc_answer(error).code, GrpcCode::aborted) << error.code.message();
    }
  }
}

}  // namespace
}  // namespace concerto::net
