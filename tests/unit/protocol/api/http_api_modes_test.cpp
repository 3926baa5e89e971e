// The HTTP interface's operations for registered branches, workflows and topics.

#include "http_api_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(HttpApiTest, TccIsRegisteredAndConfirmed) {
  const std::string branch = R"({"gid":"t;","trans_type":"tcc","branch_id":")";
  expect_success(post("prepare", R"({"gid":"t","trans_type":"tcc"})"));
  expect_success(post("registerBranch", branch + R"(01","data":"{\"amount\":30}",)" +
                                            R"("confirm":"f1","cancel":"b1"})"));
  expect_success(post("registerTccBranch", branch + R"(02","confirm":"f2"})"));
  expect_message(post("registerBranch", branch + R"(02"})"), 500, "storage: UniqueKeyConflict");
  expect_success(post("submit", R"({"gid":"t","trans_type":"tcc","wait_result":true})"));
  EXPECT_THAT(branches_.calls, ElementsAre("confirm 02", "confirm 01"));
  const auto branches = query("t").at("branches");
  ASSERT_EQ(branches.as_array().size(), 4U);
  EXPECT_EQ(branches.at(0).at("op"), "cancel");
  EXPECT_EQ(branches.at(0).at("bin_data"), "eyJhbW91bnQiOjMwfQ==");
  EXPECT_EQ(branches.at(1).at("url"), "f1");
  EXPECT_EQ(branches.at(1).at("status"), "succeed");
  expect_failure(post("registerBranch", branch + R"(03"})"),
                 "no trans with gid: t status: prepared found FAILURE");
  expect_message(post("registerBranch", R"({"gid":"t","trans_type":"saga","branch_id":"01"})"), 500,
                 "unknow trans type: saga");
}

TEST_F(HttpApiTest, XaIsRolledBackWhileTheCallerWaits) {
  const std::string trans = R"({"gid":"x","trans_type":"xa")";
  expect_success(post("prepare", trans + wait + "}"));
  expect_success(post("registerXaBranch", trans + R"(,"branch_id":"01","url":"u1"})"));
  branches_.reply("rollback 01", Outcome::ongoing);
  const HttpAnswer answer = post("abort", trans + R"(,"rollback_reason":"no money"})");
  EXPECT_EQ(answer.status, 425U);
  EXPECT_EQ(answer.body, R"({"dtm_result":"ONGOING","message":"ONGOING"})");
  expect_success(post("abort", trans + "}"));
  EXPECT_EQ(status_of("x"), "failed");
  EXPECT_EQ(query("x").at("transaction").at("rollback_reason"), "no money");
}

TEST_F(HttpApiTest, AnAnswerSaysWhetherTheTransactionGoesOn) {
  const std::string pending = "Concerto-Outcome: pending\r\n";
  const auto expect_pending = [&](const HttpAnswer& answer, unsigned status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(answer.head, HasSubstr(pending)) << answer.body;
  };
  const auto expect_ended = [&](const HttpAnswer& answer, unsigned status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(answer.head, testing::Not(HasSubstr("Concerto-Outcome"))) << answer.body;
  };
  // The reference answers FAILURE to both submits, although the first saga goes on.
  branches_.reply("action 01", Outcome::error, "boom");
  expect_pending(post("submit", json_request("goes-on", "saga", 1, wait)), 409);
  branches_.reply("action 01", Outcome::failure, "no");
  expect_ended(post("submit", json_request("failed", "saga", 1, wait)), 409);
  branches_.reply("action 01", Outcome::failure, "no");
  branches_.reply("compensate 01", Outcome::error, "boom");
  expect_pending(post("submit", json_request("goes-back", "saga", 1, wait)), 409);
  expect_ended(post("submit", json_request("good", "saga", 1, wait)), 200);

  branches_.reply("action 01", Outcome::error, "boom");
  expect_pending(post("submit", json_request("m", "msg", 1, wait)), 500);

  for (const std::string type : {"tcc", "xa"}) {
    const std::string trans = R"({"gid":")" + type + R"(","trans_type":")" + type + '"';
    expect_success(post("prepare", trans + wait + "}"));
    expect_success(post("registerBranch", trans + R"(,"branch_id":"01","confirm":"f","url":"u",)" +
                                              R"("cancel":"b"})"));
    const std::string back = type == "tcc" ? "cancel 01" : "rollback 01";
    branches_.reply(back, Outcome::error, "boom");
    expect_pending(post("abort", trans + "}"), 500);
    branches_.reply(back, Outcome::ongoing);
    expect_pending(post("abort", trans + "}"), 425);
    expect_ended(post("abort", trans + "}"), 200);
    expect_ended(post("abort", trans + "}"), 409);
  }
  const std::string workflow = R"({"gid":"w","trans_type":"workflow","query_prepared":"u",)"
                               R"("custom_data":"{\"name\":\"n\",\"data\":null}"})";
  post("prepareWorkflow", workflow);
  expect_pending(post("abort", R"({"gid":"w","trans_type":"workflow"})"), 409);
  expect_ended(post("abort", R"({"gid":"nobody","trans_type":"saga"})"), 500);
}

TEST_F(HttpApiTest, WorkflowIsPreparedRecordedAndSubmitted) {
  const std::string trans = R"({"gid":"w","trans_type":"workflow")";
  const std::string prepare =
      trans + R"(,"query_prepared":"u","custom_data":"{\"name\":\"n\",\"data\":null}"})";
  auto answer = boost::json::parse(post("prepareWorkflow", prepare).body);
  EXPECT_EQ(answer.at("transaction").at("status"), "prepared");
  EXPECT_TRUE(answer.at("progresses").as_array().empty());
  expect_success(post("registerBranch", trans + R"(,"branch_id":"01","op":"action",)" +
                                            R"("status":"succeed","data":"r1"})"));
  answer = boost::json::parse(post("prepareWorkflow", prepare).body);
  ASSERT_EQ(answer.at("progresses").as_array().size(), 1U);
  EXPECT_EQ(answer.at("progresses").at(0).at("bin_data"), "cjE=");
  EXPECT_EQ(answer.at("progresses").at(0).at("branch_id"), "01");
  EXPECT_EQ(answer.at("progresses").at(0).at("op"), "action");
  EXPECT_EQ(answer.at("progresses").at(0).at("status"), "succeed");
  const std::string submit =
      trans + R"(,"req_extra":{"status":"succeed","result":"cjI=","rollback_reason":""}})";
  expect_success(post("submit", submit));
  expect_message(post("submit", submit), 500, "storage: NotFound");
  answer = boost::json::parse(post("prepareWorkflow", prepare).body);
  EXPECT_EQ(answer.at("transaction").at("status"), "succeed");
  EXPECT_EQ(answer.at("transaction").at("result"), "cjI=");
}

TEST_F(HttpApiTest, RegisterBranchTakesStringsOnly) {
  for (const char* body : {"", "[]", R"({"gid":1})", R"({"gid":"g","branch_id":["01"]})"}) {
    const HttpAnswer answer = post("registerBranch", body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
    EXPECT_TRUE(boost::json::parse(answer.body).as_object().contains("message"));
  }
}

TEST_F(HttpApiTest, WakesTransactionsThatWaitForLong) {
  const std::string body = R"(,"retry_interval":200)";
  for (const char* gid : {"a", "b", "c"}) {
    branches_.reply("action 01", Outcome::ongoing);
    post("submit", json_request(gid, "saga", 1, wait + body));
  }
  branches_.reply("action 01", Outcome::ongoing);
  post("submit", json_request("soon", "saga", 1, wait));
  EXPECT_EQ(get("/api/dtmsvr/resetCronTime?limit=2").body,
            R"({"has_remaining":true,"succeed_count":2})");
  run_until([&] {
    return (status_of("a") == "succeed") + (status_of("b") == "succeed") +
               (status_of("c") == "succeed") ==
           2;
  });
  EXPECT_EQ(get("/api/dtmsvr/resetCronTime").body, R"({"has_remaining":false,"succeed_count":1})");
  EXPECT_EQ(status_of("soon"), "submitted");
  EXPECT_EQ(get("/api/dtmsvr/resetCronTime?timeout=-1").body,
            R"({"has_remaining":false,"succeed_count":1})");
  run_until([&] { return status_of("soon") == "succeed"; });
  expect_message(get("/api/dtmsvr/resetCronTime?timeout=x"), 500, "convert to int error: x");
}

TEST_F(HttpApiTest, PasswordsInUrlsAreCalledAndNotShown) {
  expect_success(get("/api/dtmsvr/subscribe?topic=tp&url=http%3A%2F%2Fu%3Apw-s@h%2Fs"));
  branches_.reply("action 01", Outcome::error, "connect to http://u:pw-a@h/a failed");
  branches_.reply("action 01", Outcome::failure, "no money at http://u:pw-a@h/a");
  const std::string saga = R"({"gid":"g","trans_type":"saga","payloads":["p"],"wait_result":true,)"
                           R"("query_prepared":"http://u:pw-q@h",)"
                           R"("steps":[{"action":"http://u:pw-a@h/a"}]})";
  std::string shown = post("submit", saga).body;
  shown += get("/api/concerto/why?gid=g").body + get("/api/dtmsvr/query?gid=g").body;
  expect_success(post("resetNextCronTime", R"({"gid":"g"})"));
  run_until([&] { return status_of("g") == "failed"; });
  EXPECT_EQ(query("g").at("transaction").at("rollback_reason"),
            "url:http://u:***@h/a return failed: no money at http://u:***@h/a FAILURE");
  shown += get("/api/dtmsvr/query?gid=g").body + get("/api/dtmsvr/all").body;
  shown += get("/api/dtmsvr/queryKV?cat=topics").body + get("/api/dtmsvr/scanKV").body;
  for (const std::string& text : observer_.lines) shown += text;
  for (const std::string& text : observer_.troubles) shown += text;
  EXPECT_THAT(shown + observer_.last_trouble, testing::Not(testing::HasSubstr("pw-")));
  EXPECT_THAT(shown, testing::HasSubstr("http://u:***@h/s"));
  const auto stored = await(coordinator_.query(Gid{"g"}));
  EXPECT_EQ(stored.value().value().branches.back().url, "http://u:pw-a@h/a");
  expect_success(get("/api/dtmsvr/unsubscribe?topic=tp&url=http://u:***@h/s"));
}

TEST_F(HttpApiTest, TopicsFanOutToTheirSubscribers) {
  expect_success(get("/api/dtmsvr/subscribe?topic=tp&url=http%3A%2F%2Fh%2Fs1&remark=r1"));
  const auto msg = [](const std::string& gid) {
    return R"({"gid":")" + gid +
           R"(","trans_type":"msg","wait_result":true,"payloads":["p1","p2"],)" +
           R"("steps":[{"action":"topic://tp"},{"action":"a2"}]})";
  };
  expect_success(post("submit", msg("one")));
  expect_success(get("/api/dtmsvr/subscribe?topic=tp&url=u2"));
  expect_message(get("/api/dtmsvr/subscribe?topic=tp&url=u2"), 500, "this url exists");
  expect_success(post("submit", msg("two")));
  EXPECT_THAT(branches_.calls,
              ElementsAre("action 01", "action 02", "action 01-01", "action 01-02", "action 02"));
  const auto branches = query("two").at("branches");
  EXPECT_EQ(branches.at(0).at("url"), "http://h/s1");
  EXPECT_EQ(branches.at(1).at("url"), "u2");
  EXPECT_EQ(branches.at(1).at("bin_data"), "cDE=");

  expect_success(get("/api/dtmsvr/unsubscribe?topic=tp&url=u2"));
  expect_message(get("/api/dtmsvr/unsubscribe?topic=tp&url=u2"), 500, "no such an url ");
  expect_success(get("/api/dtmsvr/unsubscribe?topic=tp&url=http://h/s1"));
  expect_message(get("/api/dtmsvr/unsubscribe?topic=tp&url=u"), 500, "this topic is empty");
  expect_message(post("submit", msg("three")), 500, "topic not found");
  expect_success(http("DELETE", "/api/dtmsvr/topic/tp"));
  expect_message(http("DELETE", "/api/dtmsvr/topic/tp"), 500, "storage: NotFound");
  expect_message(get("/api/dtmsvr/unsubscribe?topic=tp&url=u"), 500, "no such a topic");
  EXPECT_EQ(http("DELETE", "/api/dtmsvr/topic/").status, 404U);
  expect_success(get("/api/dtmsvr/subscribe?topic=other&url=u"));
  expect_message(post("submit", R"({"gid":"no","trans_type":"msg","payloads":["p"],)"
                                R"("steps":[{"action":"topic://"}]})"),
                 500, "topic not found");
  expect_message(get("/api/dtmsvr/subscribe?url=u&topic=" + std::string(129, 't')), 500,
                 "topic has 129 characters, at most 128 are allowed");
  for (const char* operation : {"subscribe", "unsubscribe"}) {
    const std::string path = "/api/dtmsvr/" + std::string(operation);
    expect_message(get(path), 500, "empty topic");
    expect_message(get(path + "?topic=tp"), 500, "empty url");
  }
}

TEST_F(HttpApiTest, ShowsTheKeyValueRecords) {
  EXPECT_EQ(get("/api/dtmsvr/queryKV").body, R"({"kv":[]})");
  for (const char* topic : {"t1", "t2", "t3"}) {
    expect_success(get(std::string("/api/dtmsvr/subscribe?url=u&topic=") + topic));
  }
  expect_success(get("/api/dtmsvr/subscribe?topic=t2&url=v&remark=r"));
  auto kv = boost::json::parse(get("/api/dtmsvr/queryKV?cat=topics&key=t2").body).at("kv");
  ASSERT_EQ(kv.as_array().size(), 1U);
  EXPECT_EQ(kv.at(0).as_object().size(), 7U);
  EXPECT_EQ(kv.at(0).at("k"), "t2");
  EXPECT_EQ(kv.at(0).at("version"), 2);
  EXPECT_TRUE(kv.at(0).at("create_time").is_string());
  EXPECT_TRUE(kv.at(0).at("update_time").is_string());
  EXPECT_EQ(boost::json::parse(kv.at(0).at("v").as_string()),
            boost::json::parse(R"([{"url":"u","remark":""},{"url":"v","remark":"r"}])"));
  auto page = boost::json::parse(get("/api/dtmsvr/scanKV?cat=topics&limit=2").body);
  ASSERT_EQ(page.at("kv").as_array().size(), 2U);
  const std::string position(page.at("next_position").as_string());
  page = boost::json::parse(get("/api/dtmsvr/scanKV?cat=topics&limit=2&position=" + position).body);
  ASSERT_EQ(page.at("kv").as_array().size(), 1U);
  EXPECT_EQ(page.at("kv").at(0).at("k"), "t3");
  EXPECT_EQ(page.at("next_position"), "");
  expect_message(get("/api/dtmsvr/scanKV?limit=abc"), 500, "convert to int error: abc");
}

}  // namespace
}  // namespace concerto::net::test
