// A service with a barrier: it reads its calls from, and writes its answers for, each kind of
// server, and the coordinator understands the answers.
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>

#include <concerto/barrier/barrier.hpp>
#include <concerto/barrier/branch_answer.hpp>
#include <concerto/base/branch_condition.hpp>
#include <concerto/protocol/branch_answers.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

namespace http = boost::beast::http;

std::string values_of(const Result<Barrier>& barrier) {
  if (!barrier) return barrier.error().detail;
  return barrier->trans_type() + " " + barrier->gid() + " " + barrier->branch_id() + " " +
         barrier->op();
}

TEST(BarrierRequest, IsReadFromEachServer) {
  http::request<http::string_body> of_beast;
  of_beast.target("/in?gid=g%201&trans_type=saga&branch_id=02&op=action");
  HttpRequest of_http;
  of_http.query = {{"gid", "g 1"}, {"trans_type", "saga"}, {"branch_id", "02"}, {"op", "action"}};
  GrpcRequest of_grpc;
  for (const auto& [name, value] : of_http.query) of_grpc.metadata.add("dtm-" + name, value);

  EXPECT_EQ(values_of(Barrier::from_request(of_beast)), "saga g 1 02 action");
  EXPECT_EQ(values_of(Barrier::from_request(of_http)), "saga g 1 02 action");
  EXPECT_EQ(values_of(Barrier::from_request(of_grpc)), "saga g 1 02 action");
}

/// The errors of a module with a failure of its own, such as concerto::client.
class OtherErrors final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "other"; }
  std::string message(int) const override { return "refused"; }
  bool equivalent(int value,
                  const boost::system::error_condition& condition) const noexcept override {
    return has_branch_condition(value, condition, 1, 2);
  }
};
const OtherErrors other_errors;

Error other_error(int value) {
  return {error_code(value, other_errors), "no money"};
}

struct AnswerCase {
  const char* name;
  Result<> result;
  Outcome outcome;
};

class BarrierAnswer : public testing::TestWithParam<AnswerCase> {};

/// Whatever words the text has: it may come from a database.
TEST_P(BarrierAnswer, IsUnderstoodByTheCoordinator) {
  const Result<>& result = GetParam().result;
  const auto of_beast = branch_answer<http::response<http::string_body>>(result);
  const auto of_http = branch_answer<HttpResponse>(result);
  const auto of_grpc = branch_answer<GrpcReply>(result);
  EXPECT_EQ(judge_http_answer(of_beast.result_int(), of_beast.body()).outcome, GetParam().outcome);
  EXPECT_EQ(of_beast.at("Content-Length"), std::to_string(of_beast.body().size()));
  EXPECT_EQ(judge_http_answer(of_http.status, of_http.body).outcome, GetParam().outcome);
  EXPECT_EQ(branch_reply(of_grpc).outcome, GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BarrierAnswer,
    testing::Values(
        AnswerCase{"Done", ok(), Outcome::success},
        AnswerCase{"Refused", branch_failure("no money"), Outcome::failure},
        AnswerCase{"RefusedForWhatIsOngoing", branch_failure("ONGOING"), Outcome::failure},
        AnswerCase{"RefusedByAnotherModule", other_error(1), Outcome::failure},
        AnswerCase{"NotFinishedInAnotherModule", other_error(2), Outcome::ongoing},
        AnswerCase{"NotFinished", branch_ongoing("no FAILURE yet"), Outcome::ongoing},
        AnswerCase{"DatabaseFailed",
                   make_error(BarrierErrc::database_failed, "FAILURE of ONGOING and ONGOING work"),
                   Outcome::error},
        AnswerCase{"Duplicated", make_error(BarrierErrc::duplicated, "given up"), Outcome::error},
        AnswerCase{"WrongRequest", make_error(Errc::invalid_request, "no gid"), Outcome::error}),
    [](const auto& row) { return row.param.name; });

TEST(BarrierAnswerText, IsShortAndUtf8) {
  const std::string text(2000, '\xff');
  const auto made = branch_answer(branch_failure(text));
  EXPECT_LE(made.grpc_text.size(), 3 * 1024U);  // U+FFFD has three bytes.
  EXPECT_TRUE(made.grpc_text.starts_with("\xef\xbf\xbd"));
}

}  // namespace
}  // namespace concerto::net
