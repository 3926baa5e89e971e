// What the client sends over HTTP, request by request: that is what the Go SDK sends (protocol page
// 05, section 11; page 08), without fields that have their default. The transactions are those of
// docs/client.md.

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include <concerto/client/blocking.hpp>
#include <concerto/client/client.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "await_result.hpp"

namespace concerto::client {
namespace {

#include "client_page.inc"

using testing::ElementsAre;
namespace json = boost::json;

/// Records requests, and answers 200 unless a test says otherwise.
class ClientWire : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(listener_.listen({asio::ip::make_address("127.0.0.1"), 0}));
    host_ = "http://127.0.0.1:" + std::to_string(listener_.address().port());
  }

  void TearDown() override {
    listener_.close();
    run(server_.drain(timers_.now() + std::chrono::seconds(1)));
  }

  Task<net::HttpResponse> serve(net::HttpRequest request) {
    std::string line = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) line += " " + name + "=" + value;
    lines_.push_back(std::move(line));
    bodies_.push_back(request.body);
    tokens_.emplace_back(request.headers.find("Authorization").value_or(""));
    types_.emplace_back(request.headers.find("Content-Type").value_or(""));
    const auto script = answers_.find(request.path);
    co_return script == answers_.end() ? net::json_response(200, R"({"dtm_result":"SUCCESS"})")
                                       : script->second;
  }

  static Task<bool> then_true(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
  void run(Task<void> task) { test::await_result(io_, then_true(std::move(task))); }

  template <class T>
  Result<T> await(Async<T> operation) {
    Result<T> result = test::await_result(io_, std::move(operation));
    run(client_->close());
    return result;
  }

  Client& client(ClientOptions options = ClientOptions{}) {
    client_.emplace(io_.get_executor(), host_ + "/api/dtmsvr", std::move(options));
    return *client_;
  }

  json::value body(std::size_t index) const { return json::parse(bodies_.at(index)); }

  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  std::map<std::string, net::HttpResponse> answers_;
  std::vector<std::string> lines_;
  std::vector<std::string> bodies_;
  std::vector<std::string> tokens_;
  std::vector<std::string> types_;
  net::HttpServer server_{io_.get_executor(), timers_,
                          [this](net::HttpRequest request) { return serve(std::move(request)); }};
  net::Listener listener_{io_.get_executor(), timers_, {&server_}};
  std::string host_;
  std::optional<Client> client_;
};

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
  const Result<> result = await(order(client(), "g", fails));
  EXPECT_EQ(result.error().code, ClientErrc::failure);
  EXPECT_THAT(lines_, ElementsAre("POST /api/dtmsvr/prepare", "POST /api/dtmsvr/abort"));
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

TEST(Page, TccCompiles) {
  EXPECT_NE(&reserve, nullptr);
}

}  // namespace
}  // namespace concerto::client
