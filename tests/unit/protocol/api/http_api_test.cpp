#include "http_api_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST_F(HttpApiTest, AnswersSimpleReads) {
  EXPECT_EQ(get("/api/dtmsvr/version").body, R"({"version":"v1.19.0"})");
  EXPECT_EQ(get("/api/ping").body, R"({"msg":"pong"})");
  EXPECT_EQ(http("POST", "/api/ping").status, 200U);
}

TEST_F(HttpApiTest, MakesNewGids) {
  const HttpAnswer first = get("/api/dtmsvr/newGid");
  EXPECT_EQ(first.status, 200U);
  EXPECT_THAT(first.body,
              MatchesRegex(R"re(\{"dtm_result":"SUCCESS","gid":"[0-9A-Za-z]{22}"\})re"));
  EXPECT_NE(get("/api/dtmsvr/newGid").body, first.body);
}

TEST_F(HttpApiTest, SagaSucceeds) {
  expect_success(post("submit", json_request("g;1", "saga", 2, wait)));
  EXPECT_THAT(branches_.calls, ElementsAre("action 01", "action 02"));
  const auto answer = query("g1");
  EXPECT_EQ(answer.at("transaction").at("status"), "succeed");
  EXPECT_EQ(answer.at("transaction").at("options"), R"({"wait_result":true,"concurrent":false})");
  ASSERT_EQ(answer.at("branches").as_array().size(), 4U);
  EXPECT_EQ(answer.at("branches").at(0).at("op"), "compensate");
  EXPECT_EQ(answer.at("branches").at(0).at("status"), "prepared");
  EXPECT_EQ(answer.at("branches").at(3).at("url"), "a2");
  EXPECT_EQ(answer.at("branches").at(3).at("status"), "succeed");
  EXPECT_EQ(answer.at("branches").at(3).at("bin_data"), "cGF5bG9hZCAy");
}

TEST_F(HttpApiTest, SagaThatFailsIsRolledBack) {
  branches_.reply("action 02", Outcome::failure, "no money");
  expect_failure(post("submit", json_request("g", "saga", 2, wait)),
                 "url:a2 return failed: no money FAILURE");
  run_until([&] { return status_of("g") == "failed"; });
  EXPECT_THAT(branches_.calls,
              ElementsAre("action 01", "action 02", "compensate 02", "compensate 01"));
  EXPECT_EQ(query("g").at("transaction").at("rollback_reason"),
            "url:a2 return failed: no money FAILURE");
}

TEST_F(HttpApiTest, SubmitWithoutWaitingAnswersBeforeTheBranches) {
  branches_.hold("action 01");
  expect_success(post("submit", json_request("g", "saga", 1)));
  EXPECT_EQ(status_of("g"), "submitted");
  run_until([&] { return branches_.waits("action 01"); });
  branches_.answer("action 01", Outcome::success);
  run_until([&] { return status_of("g") == "succeed"; });
}

TEST_F(HttpApiTest, WaitForASagaThatIsNotFinishedFails) {
  branches_.reply("action 01", Outcome::ongoing);
  expect_failure(post("submit", json_request("g", "saga", 1, wait)),
                 "wait result not return success: FAILURE");
  EXPECT_EQ(status_of("g"), "submitted");
}

TEST_F(HttpApiTest, MsgIsPreparedAndSubmitted) {
  expect_success(post("prepare", json_request("m", "msg", 1)));
  EXPECT_EQ(status_of("m"), "prepared");
  expect_success(post("prepare", json_request("m", "msg", 1)));
  expect_success(post("submit", R"({"gid":"m","trans_type":"msg","wait_result":true})"));
  EXPECT_EQ(status_of("m"), "succeed");
  expect_failure(post("prepare", json_request("m", "msg", 1)),
                 "current status 'succeed', cannot prepare. FAILURE");
  expect_failure(post("submit", json_request("m", "msg", 1)),
                 "current status 'succeed', cannot sumbmit. FAILURE");
  expect_failure(post("abort", R"({"gid":"m","trans_type":"msg"})"),
                 "trans type: 'msg' current status 'succeed', cannot abort. FAILURE");
  expect_failure(post("forceStop", R"({"gid":"m"})"),
                 "global transaction force stop error. status: succeed. error: FAILURE");
}

TEST_F(HttpApiTest, MsgIsAborted) {
  expect_success(post("prepare", json_request("m", "msg", 1)));
  expect_success(post("abort", R"({"gid":"m","trans_type":"msg"})"));
  EXPECT_EQ(status_of("m"), "failed");
  EXPECT_TRUE(branches_.calls.empty());
}

TEST_F(HttpApiTest, MsgThatWaitsReportsTheBranchsError) {
  branches_.reply("action 01", Outcome::error, "boom");
  const HttpAnswer answer = post("submit", json_request("m", "msg", 1, wait));
  EXPECT_EQ(answer.status, 500U);
  EXPECT_THAT(answer.body, HasSubstr(R"(unkown result will be retried: boom"})"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("dtm_result")));
}

TEST_F(HttpApiTest, ForceStopEndsATransaction) {
  branches_.reply("action 01", Outcome::ongoing);
  post("submit", json_request("g", "saga", 1, wait));
  expect_success(post("resetNextCronTime", R"({"gid":"g"})"));
  run_until([&] { return status_of("g") == "succeed"; });
  branches_.reply("action 01", Outcome::ongoing);
  post("submit", json_request("h", "saga", 1, wait));
  expect_success(post("forceStop", R"({"gid":"h"})"));
  EXPECT_EQ(status_of("h"), "failed");
}

TEST_F(HttpApiTest, UnknownGidsAreNamed) {
  for (const char* operation : {"abort", "forceStop", "resetNextCronTime"}) {
    expect_message(post(operation, R"({"gid":"nogid","trans_type":"msg"})"), 500,
                   "no TransGlobal with gid: nogid found");
  }
  EXPECT_EQ(boost::json::parse(get("/api/dtmsvr/query?gid=nogid").body),
            boost::json::parse(R"({"branches":[],"transaction":null})"));
  EXPECT_EQ(boost::json::parse(get("/api/dtmsvr/all?gid=nogid&position=p").body),
            boost::json::parse(R"({"transactions":null,"next_position":"p"})"));
  expect_message(get("/api/dtmsvr/query"), 500, "no gid specified");
  expect_message(get("/api/dtmsvr/query?gid="), 500, "no gid specified");
}

TEST_F(HttpApiTest, ListsTransactionsInPages) {
  for (const char* gid : {"g1", "g2", "g3"}) post("submit", json_request(gid, "saga", 1, wait));
  post("prepare", json_request("m", "msg", 1));
  const auto gids_of = [](const HttpAnswer& answer) {
    std::vector<std::string> gids;
    const auto page = boost::json::parse(answer.body);
    for (const auto& trans : page.at("transactions").as_array()) {
      gids.emplace_back(trans.at("gid").as_string());
    }
    return gids;
  };
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all")), ElementsAre("m", "g3", "g2", "g1"));
  const HttpAnswer first = get("/api/dtmsvr/all?limit=2&status=succeed");
  EXPECT_THAT(gids_of(first), ElementsAre("g3", "g2"));
  const auto position = boost::json::parse(first.body).at("next_position").as_string();
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?status=succeed&position=" + std::string{position})),
              ElementsAre("g1"));
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?limit=0")), ElementsAre("m"));
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?transType=msg")), ElementsAre("m"));
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?gid=g2&limit=abc")), ElementsAre("g2"));
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?status=failed,%20prepared")), ElementsAre("m"));
  EXPECT_THAT(gids_of(get("/api/dtmsvr/all?createTimeEnd=1000")), ElementsAre());
  expect_message(get("/api/dtmsvr/all?limit=abc"), 500, "convert to int error: abc");
  expect_message(get("/api/dtmsvr/all?status=weird"), 500,
                 "status 'weird' is none of prepared, submitted, aborting, succeed and failed");
}

TEST_F(HttpApiTest, ListsTransactionsThatWaitForAService) {
  post("submit", json_request("good", "saga", 1, wait));
  branches_.reply("action 02", Outcome::failure, "no money");
  post("submit", json_request("failed", "saga", 2, wait));
  branches_.reply("action 01", Outcome::error, "connection refused");
  post("submit", json_request("stuck", "saga", 1, wait));
  for (const char* query : {"target=a1", "lastError=refused", "status=prepared,submitted,aborting",
                            "status=submitted&target=a&lastError=connection&minAge=0"}) {
    const std::string target = std::string{"/api/dtmsvr/all?explain=true&"} + query;
    const auto page = boost::json::parse(get(target).body);
    ASSERT_EQ(page.at("transactions").as_array().size(), 1U) << query;
    const auto& stuck = page.at("transactions").at(0);
    EXPECT_EQ(stuck.at("gid"), "stuck");
    EXPECT_EQ(stuck.at("why").at("state"), "waiting");
    EXPECT_THAT(std::string{stuck.at("why").at("explanation").as_string()},
                HasSubstr("connection refused"));
    EXPECT_EQ(stuck.at("why").at("urls"), boost::json::parse(R"(["a1"])"));
  }
  const auto failed = boost::json::parse(get("/api/dtmsvr/all?target=a2").body);
  EXPECT_EQ(failed.at("transactions").at(0).at("gid"), "failed");
  EXPECT_FALSE(failed.at("transactions").at(0).as_object().contains("why"));
  const auto young = boost::json::parse(get("/api/dtmsvr/all?target=a2&minAge=3600").body);
  EXPECT_TRUE(young.at("transactions").as_array().empty());
  expect_message(get("/api/dtmsvr/all?explain=x"), 400, "explain is neither true nor false: 'x'");
}

// The reference's stores on database servers refuse such a position too; its embedded store takes
// any text as a gid.
TEST_F(HttpApiTest, APositionThatNoPageGaveIsRefused) {
  expect_message(get("/api/dtmsvr/all?position=zzz"), 500,
                 "position 'zzz' is not one of this list");
  expect_message(get("/api/dtmsvr/all?status=failed&position=zzz"), 500,
                 "position 'zzz' is not one of this list");
}

struct NotFoundCase {
  const char* name;
  const char* method;
  const char* target;
};

void PrintTo(const NotFoundCase& row, std::ostream* out) {
  *out << row.name;
}

class NotFound : public HttpApiTest, public testing::WithParamInterface<NotFoundCase> {};

TEST_P(NotFound, Is404) {
  const HttpAnswer answer = http(GetParam().method, GetParam().target);
  EXPECT_EQ(answer.status, 404U);
  const bool has_body = std::string_view{GetParam().method} != "HEAD";
  EXPECT_EQ(answer.body, has_body ? "404 page not found" : "");
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/plain"));
}

INSTANTIATE_TEST_SUITE_P(
    HttpApi, NotFound,
    testing::Values(NotFoundCase{"Root", "GET", "/"},
                    NotFoundCase{"UnknownOperation", "POST", "/api/dtmsvr/nope"},
                    NotFoundCase{"OtherCase", "GET", "/api/dtmsvr/newgid"},
                    NotFoundCase{"GetOfSubmit", "GET", "/api/dtmsvr/submit"},
                    NotFoundCase{"HeadOfWhatGetChanges", "HEAD", "/api/dtmsvr/subscribe"},
                    NotFoundCase{"EncodedSlash", "GET", "/api%2Fdtmsvr%2Fversion"},
                    NotFoundCase{"GetOfSubmitWithSlash", "GET", "/api/dtmsvr/submit/"},
                    NotFoundCase{"PutOfSubmit", "PUT", "/api/dtmsvr/submit"},
                    NotFoundCase{"OptionsOfSubmit", "OPTIONS", "/api/dtmsvr/submit"},
                    NotFoundCase{"PostOfQuery", "POST", "/api/dtmsvr/query"},
                    NotFoundCase{"GetOfTopic", "GET", "/api/dtmsvr/topic/t"}),
    [](const auto& row) { return row.param.name; });

TEST_F(HttpApiTest, TrailingSlashIsRedirected) {
  const HttpAnswer read = get("/api/dtmsvr/query/?gid=a%26b");
  EXPECT_EQ(read.status, 301U);
  EXPECT_THAT(read.head, HasSubstr("Location: /api/dtmsvr/query?gid=a%26b\r\n"));
  const HttpAnswer write = post("submit/", "{}");
  EXPECT_EQ(write.status, 307U);
  EXPECT_THAT(write.head, HasSubstr("Location: /api/dtmsvr/submit\r\n"));
  EXPECT_EQ(store_.commits(), 0U);
}

TEST_F(HttpApiTest, PipelinedQueryFollowsItsSubmit) {
  const std::string body = json_request("g", "saga", 1, wait);
  RawPeer& peer = connect_http();
  peer.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body +
            "GET /api/dtmsvr/query?gid=g HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), HasSubstr(R"("status":"succeed")"));
}

TEST_F(HttpApiTest, ClientThatLeavesEndsNothing) {
  branches_.hold("action 01");
  const std::string body = json_request("g", "saga", 2, wait);
  RawPeer& peer = connect_http();
  peer.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  run_until([&] { return branches_.waits("action 01"); });
  peer.reset();
  poll();
  branches_.answer("action 01", Outcome::success);
  run_until([&] { return status_of("g") == "succeed"; });
}

TEST_F(HttpApiTest, ShutdownAnswersWaitersWith503) {
  branches_.hold("action 01");
  const std::string body = json_request("g", "saga", 1, wait);
  RawPeer& peer = connect_http();
  peer.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  run_until([&] { return branches_.waits("action 01"); });
  bool stopped = false;
  asio::co_spawn(io_, coordinator_.stop(timers_.now()),
                 [&](const std::exception_ptr&) { stopped = true; });
  poll();
  branches_.release_all();
  run_until([&] { return peer.has("\r\n\r\n"); });
  EXPECT_TRUE(peer.received().starts_with("HTTP/1.1 503 ")) << peer.received();
  EXPECT_FALSE(peer.has("FAILURE"));
  run_until([&] { return stopped; });
}

TEST_F(HttpApiTest, FailedStoreIsNeverAFailureOfTheTransaction) {
  store_.fail_commit(1);
  const HttpAnswer answer = post("submit", json_request("g", "saga", 1, wait));
  EXPECT_EQ(answer.status, 503U);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("FAILURE")));
  EXPECT_TRUE(branches_.calls.empty());
}

class FullCoordinator : public HttpApiTest {
 protected:
  static CoordinatorOptions options() {
    CoordinatorOptions options;
    options.in_flight_max = 1;
    return options;
  }
  FullCoordinator() : HttpApiTest(options()) {}
};

TEST_F(FullCoordinator, RefusesNewTransactionsAlikeOnBothFrontEnds) {
  branches_.hold("action 01");
  EXPECT_EQ(post("submit", json_request("g", "saga", 1)).status, 200U);
  run_until([&] { return branches_.waits("action 01"); });
  const HttpAnswer refused = post("submit", json_request("h", "saga", 1));
  EXPECT_EQ(refused.status, 503U);
  EXPECT_THAT(refused.head, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(grpc("Submit", dtm_request("i", "saga", 1)).status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(status_of("h"), "unknown");
  EXPECT_EQ(status_of("i"), "unknown");
  branches_.answer("action 01", Outcome::success);
  run_until([&] { return status_of("g") == "succeed"; });
  EXPECT_EQ(post("submit", json_request("h", "saga", 0)).status, 200U);
}

}  // namespace
}  // namespace concerto::net::test
