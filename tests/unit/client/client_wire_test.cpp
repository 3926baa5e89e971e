// What the client sends over HTTP, request by request: that is what the Go SDK sends (protocol page
// 05, section 11; page 08), without fields that have their default. The transactions are those of
// docs/client.md.

#include "client_wire.hpp"

#include <gmock/gmock.h>

#include <concerto/barrier/barrier.hpp>
#include <concerto/client/blocking.hpp>

namespace concerto::client {
namespace {

// The page shows these functions after their use.
Result<std::string> place_order(const WorkflowStep& step);
Result<> forget_order(const WorkflowStep& step);

#include "client_page.inc"

using testing::ElementsAre;
namespace json = boost::json;

TEST_F(ClientWire, SagaIsOneSubmit) {
  ASSERT_TRUE(await(transfer(client(), "g")));
  EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/submit"));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"saga","wait_result":true,
      "steps":[{"action":"http://bank/TransOut","compensate":"http://bank/TransOutBack"},
               {"action":"http://bank/TransIn","compensate":"http://bank/TransInBack"}],
      "payloads":["{\"amount\":30}","{\"amount\":30}"]})"));
}

TEST_F(ClientWire, OrdersOfASagaAreCustomData) {
  Saga saga = client().saga("g");
  saga.concurrent().add_branch_order(2, {0, 1}).add_branch_order(1, {0});
  ASSERT_TRUE(await(saga.submit()));
  EXPECT_EQ(body(0).at("concurrent"), true);
  EXPECT_EQ(json::parse(body(0).at("custom_data").as_string()),
            json::parse(R"({"concurrent":true,"orders":{"1":[0],"2":[0,1]}})"));
}

TEST_F(ClientWire, OptionsHaveTheNamesOfTheProtocol) {
  Msg msg = client().msg("g");
  msg.options.concurrent = true;
  msg.options.timeout_to_fail = std::chrono::seconds(3);
  msg.options.request_timeout = std::chrono::seconds(4);
  msg.options.retry_interval = std::chrono::seconds(5);
  msg.options.retry_limit = 6;
  msg.options.branch_headers["h"] = "v";
  msg.delay(std::chrono::seconds(7)).add_topic("t", "1");
  ASSERT_TRUE(await(msg.submit()));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"msg","concurrent":true,
      "timeout_to_fail":3,"request_timeout":4,"retry_interval":5,"retry_limit":6,
      "branch_headers":{"h":"v"},"custom_data":"{\"delay\":7}",
      "steps":[{"action":"topic://t"}],"payloads":["1"]})"));
}

Async<> succeeds() {
  co_return ok();
}
Async<> fails() {
  co_return failure("no money");
}
Async<> is_refused_by_a_barrier() {
  co_return branch_failure("no money");
}
Async<> is_lost() {
  co_return make_error(ClientErrc::unknown_outcome, "lost");
}

TEST_F(ClientWire, WorkIsBetweenPrepareAndSubmit) {
  ASSERT_TRUE(await(order(client(), "g", succeeds)));
  EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/prepare", "POST /api/dtmsvr/submit"));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"msg",
      "query_prepared":"http://shop/QueryPrepared","steps":[{"action":"http://stock/Deduct"}],
      "payloads":["{\"item\":1}"]})"));
  EXPECT_EQ(body(1), body(0));
}

TEST_F(ClientWire, FailedWorkAborts) {
  for (const auto& work : {fails, is_refused_by_a_barrier}) {
    lines_.clear();
    const Result<> result = await(order(client(), "g", work));
    EXPECT_EQ(result.error().detail, "no money");
    EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/prepare", "POST /api/dtmsvr/abort"));
  }
}

TEST_F(ClientWire, QueryDecidesAboutLostWork) {
  struct {
    unsigned status;
    const char* then;
  } const cases[] = {{200, "POST /api/dtmsvr/submit"}, {409, "POST /api/dtmsvr/abort"}, {500, ""}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.status);
    lines_.clear();
    answers_["/Query"] = net::json_response(each.status, "{}");
    Msg msg = client().msg("g");
    const Result<> result = await(msg.do_and_submit(host_ + "/Query", is_lost));
    EXPECT_EQ(result.error().detail, "lost");
    std::vector<std::string> wanted{
        "POST /api/dtmsvr/prepare",
        "GET /Query branch_id=00 dtm=" + host_ + "/api/dtmsvr gid=g op=msg trans_type=msg"};
    if (*each.then != '\0') wanted.emplace_back(each.then);
    EXPECT_EQ(lines_, wanted);
  }
}

Async<> one_try(Tcc& tcc, const std::string& host) {
  const auto answer = co_await tcc.call_branch("{}", host + "/Try?x=1", "c", "d");
  if (!answer) co_return answer.error();
  co_return ok();
}

TEST_F(ClientWire, BranchesAreRegisteredBeforeTheirTry) {
  ClientOptions options;
  options.token = "secret";
  Tcc tcc = client(std::move(options)).tcc("g");
  ASSERT_TRUE(await(tcc.run([&](Tcc& running) { return one_try(running, host_); })));
  EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/prepare", "POST /api/dtmsvr/registerBranch",
                                  "POST /Try x=1 branch_id=01 dtm=" + host_ +
                                      "/api/dtmsvr gid=g op=try trans_type=tcc",
                                  "POST /api/dtmsvr/submit"));
  EXPECT_EQ(body(0), json::parse(R"({"gid":"g","trans_type":"tcc"})"));
  EXPECT_EQ(body(1), json::parse(R"({"gid":"g","trans_type":"tcc","branch_id":"01","data":"{}",
      "confirm":"c","cancel":"d"})"));
  // The branch must not learn the coordinator's token.
  EXPECT_THAT(tokens_, ElementsAre("Bearer secret", "Bearer secret", "", "Bearer secret"));
}

TEST_F(ClientWire, FailedTryAborts) {
  answers_["/Try"] = net::text_response(409, "no money");
  Tcc tcc = client().tcc("g");
  const Result<> result = await(tcc.run([&](Tcc& running) { return one_try(running, host_); }));
  EXPECT_EQ(result.error().code, ClientErrc::failure);
  EXPECT_EQ(lines_.back(), "POST /api/dtmsvr/abort");
  EXPECT_EQ(body(3),
            json::parse(R"({"gid":"g","trans_type":"tcc","rollback_reason":"no money FAILURE"})"));
}

TEST_F(ClientWire, ReasonOfATryThatIsOngoingSaysSo) {
  answers_["/Try"] = net::text_response(425, "not yet");
  Tcc tcc = client().tcc("g");
  const Result<> result = await(tcc.run([&](Tcc& running) { return one_try(running, host_); }));
  EXPECT_EQ(result.error().code, ClientErrc::ongoing);
  EXPECT_EQ(body(3).at("rollback_reason"), "not yet ONGOING");
}

TEST_F(ClientWire, ExceptionAbortsAndGoesOn) {
  Tcc tcc = client().tcc("g");
  EXPECT_THROW(
      test::await_result(io_, tcc.run([](Tcc&) -> Async<> { throw std::runtime_error("bug"); })),
      std::runtime_error);
  run(client_->close());
  EXPECT_EQ(body(1), json::parse(R"({"gid":"g","trans_type":"tcc","rollback_reason":"bug"})"));
}

TEST_F(ClientWire, GidComesFromTheCoordinator) {
  answers_["/api/dtmsvr/newGid"] = net::json_response(200, R"({"gid":"new"})");
  EXPECT_EQ(*await(client().new_gid()), "new");
}

TEST_F(ClientWire, OnlyARequestWithABodyHasItsType) {
  answers_["/api/dtmsvr/newGid"] = net::json_response(200, R"({"gid":"new"})");
  ASSERT_TRUE(await(client().new_gid()));
  Msg msg = client().msg("g");
  ASSERT_FALSE(await(msg.do_and_submit(host_ + "/Query", is_lost)));
  EXPECT_THAT(types_, ElementsAre("", "application/json", "", "application/json"));
}

TEST_F(ClientWire, FailureInASuccessIsAFailure) {
  answers_["/api/dtmsvr/submit"] = net::json_response(200, R"({"dtm_result":"FAILURE"})");
  EXPECT_EQ(await(transfer(client(), "g")).error().code, ClientErrc::failure);
}

TEST_F(ClientWire, BytesThatAreNoTextAreNotSent) {
  Saga saga = client().saga("g");
  saga.add("a", "c", "\xff");
  EXPECT_EQ(await(saga.submit()).error().code, ClientErrc::not_sendable);
  EXPECT_TRUE(lines_.empty());
}

TEST(BlockingClient, SaysThatNobodyListens) {
  const Result<> result = transfer_and_wait("http://127.0.0.1:1/api/dtmsvr", "g");
  EXPECT_EQ(result.error().code, ClientErrc::try_later);
  blocking::Client grpc{"127.0.0.1:1"};
  EXPECT_FALSE(grpc.wait(grpc->saga("g").submit()));
}

TEST(Page, OtherModesCompile) {
  EXPECT_NE(&reserve, nullptr);
  EXPECT_NE(&transfer_by_xa, nullptr);
  EXPECT_NE(&serve_branch, nullptr);
  EXPECT_NE(&add_workflows, nullptr);
  EXPECT_NE(&serve_workflows, nullptr);
  EXPECT_NE(&pay_now, nullptr);
}

}  // namespace
}  // namespace concerto::client
