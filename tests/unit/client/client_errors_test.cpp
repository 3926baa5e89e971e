#include "client_errors.hpp"

#include <gtest/gtest.h>

#include <concerto/transport/http_error.hpp>

namespace concerto::client {
namespace {

struct AnswerCase {
  const char* name;
  unsigned status;
  const char* body;
  ClientErrc code;
  Condition condition;
};

class ErrorOfAnswer : public testing::TestWithParam<AnswerCase> {};

TEST_P(ErrorOfAnswer, HasItsCode) {
  const auto answer = net::answer_from_http(GetParam().status, {}, GetParam().body);
  const Error error = detail::error_of(answer);
  EXPECT_EQ(error.code, GetParam().code) << error.code.message();
  EXPECT_EQ(error.code, GetParam().condition);
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, ErrorOfAnswer,
    testing::Values(
        AnswerCase{"Failure", 409, R"({"message":"no money FAILURE"})", ClientErrc::failure,
                   Condition::rejected},
        AnswerCase{"Ongoing", 425, R"({"message":"ONGOING"})", ClientErrc::ongoing,
                   Condition::outcome_unknown},
        AnswerCase{"WaitThatEndedEarly", 409,
                   R"({"message":"wait result not return success: FAILURE"})", ClientErrc::ongoing,
                   Condition::outcome_unknown},
        AnswerCase{
            "BranchThatIsRetried", 500,
            R"({"message":"your http/grpc result should be specified as in:\n)"
            R"(http://d.dtm.pub/practice/arch.html#proto\nunkown result will be retried: x"})",
            ClientErrc::ongoing, Condition::outcome_unknown},
        AnswerCase{"WrongRequest", 500, R"({"message":"unknow trans type: x"})",
                   ClientErrc::refused, Condition::outcome_unknown},
        AnswerCase{"Shutdown", 503, "{}", ClientErrc::unknown_outcome, Condition::outcome_unknown}),
    [](const auto& row) { return row.param.name; });

TEST(ErrorOfTransport, KeepsWhetherSomethingHappened) {
  const auto code_of = [](net::HttpErrc code) {
    return detail::error_of(net::make_error(code, "")).code;
  };
  EXPECT_EQ(code_of(net::HttpErrc::connect_failed), ClientErrc::try_later);
  EXPECT_EQ(code_of(net::HttpErrc::connection_lost), ClientErrc::unknown_outcome);
  EXPECT_EQ(code_of(net::HttpErrc::bad_url), ClientErrc::not_sendable);
}

}  // namespace
}  // namespace concerto::client
