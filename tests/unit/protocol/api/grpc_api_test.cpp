#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class GrpcApiTest : public ApiTest {
 protected:
  dtmgimp::DtmRequest waiting(const std::string& gid, const std::string& type, int steps) {
    dtmgimp::DtmRequest request = dtm_request(gid, type, steps);
    request.mutable_transoptions()->set_waitresult(true);
    return request;
  }

  void expect_status(const GrpcReply& reply, GrpcCode code, const std::string& text) {
    EXPECT_EQ(to_string(reply.status.code), to_string(code));
    EXPECT_EQ(reply.status.message, text);
  }
};

TEST_F(GrpcApiTest, MakesNewGids) {
  const GrpcReply reply = await(grpc_call("NewGid", ""));
  ASSERT_TRUE(reply.ok()) << reply.status.message;
  dtmgimp::DtmGidReply gid;
  ASSERT_TRUE(gid.ParseFromString(reply.message));
  EXPECT_EQ(gid.gid().size(), 22U);
}

TEST_F(GrpcApiTest, SagaSucceeds) {
  const GrpcReply reply = grpc("Submit", waiting("g1", "saga", 2));
  expect_status(reply, GrpcCode::ok, "");
  EXPECT_TRUE(reply.message.empty());
  EXPECT_THAT(branches_.calls, ElementsAre("action 01", "action 02"));
  EXPECT_EQ(query("g1").at("transaction").at("protocol"), "grpc");
  EXPECT_EQ(status_of("g1"), "succeed");
}

TEST_F(GrpcApiTest, SagaThatFailsIsAborted) {
  branches_.reply("action 02", Outcome::failure, "no money");
  expect_status(grpc("Submit", waiting("g", "saga", 2)), GrpcCode::aborted,
                "url:a2 return failed: no money FAILURE");
  run_until([&] { return status_of("g") == "failed"; });
  expect_status(grpc("Submit", dtm_request("g", "saga", 2)), GrpcCode::aborted,
                "current status 'failed', cannot sumbmit. FAILURE");
}

TEST_F(GrpcApiTest, SagaThatIsNotFinishedIsAborted) {
  branches_.reply("action 01", Outcome::ongoing);
  expect_status(grpc("Submit", waiting("g", "saga", 1)), GrpcCode::aborted,
                "wait result not return success: FAILURE");
}

TEST_F(GrpcApiTest, MsgIsPreparedSubmittedAndAborted) {
  expect_status(grpc("Prepare", dtm_request("m", "msg", 1)), GrpcCode::ok, "");
  EXPECT_EQ(status_of("m"), "prepared");
  dtmgimp::DtmRequest submit = waiting("m", "msg", 0);
  submit.set_steps("null");
  expect_status(grpc("Submit", submit), GrpcCode::ok, "");
  EXPECT_EQ(status_of("m"), "succeed");

  grpc("Prepare", dtm_request("n", "msg", 1));
  expect_status(grpc("Abort", dtm_request("n", "msg", 0)), GrpcCode::ok, "");
  EXPECT_EQ(status_of("n"), "failed");
  expect_status(grpc("Abort", dtm_request("nogid", "msg", 0)), GrpcCode::internal,
                "no TransGlobal with gid: nogid found");
}

TEST_F(GrpcApiTest, TccIsRegisteredAndCancelled) {
  expect_status(grpc("Prepare", dtm_request("t", "tcc", 0)), GrpcCode::ok, "");
  dtmgimp::DtmBranchRequest branch;
  branch.set_gid("t");
  branch.set_transtype("tcc");
  branch.set_branchid("01");
  branch.set_busipayload(std::string("\x08\x1e\x00\xff", 4));
  (*branch.mutable_data())["confirm"] = "f1";
  (*branch.mutable_data())["cancel"] = "b1";
  expect_status(grpc("RegisterBranch", branch), GrpcCode::ok, "");
  expect_status(grpc("RegisterBranch", branch), GrpcCode::unknown, "storage: UniqueKeyConflict");
  expect_status(grpc("Abort", dtm_request("t", "tcc", 0)), GrpcCode::ok, "");
  run_until([&] { return status_of("t") == "failed"; });
  EXPECT_THAT(branches_.calls, ElementsAre("cancel 01"));
  EXPECT_EQ(query("t").at("branches").at(0).at("bin_data"), "CB4A/w==");
  expect_status(grpc("RegisterBranch", branch), GrpcCode::aborted,
                "no trans with gid: t status: prepared found FAILURE");
  branch.set_transtype("nope");
  expect_status(grpc("RegisterBranch", branch), GrpcCode::unknown, "unknow trans type: nope");
}

TEST_F(GrpcApiTest, WorkflowIsPreparedRecordedAndSubmitted) {
  dtmgimp::DtmRequest prepare = dtm_request("w", "workflow", 0);
  prepare.set_customeddata(R"({"name":"n"})");
  EXPECT_TRUE(grpc("PrepareWorkflow", prepare).ok());
  dtmgimp::DtmBranchRequest branch;
  branch.set_gid("w");
  branch.set_transtype("workflow");
  branch.set_branchid("01");
  branch.set_busipayload(std::string("\x08\x00\xff", 3));
  (*branch.mutable_data())["op"] = "action";
  (*branch.mutable_data())["status"] = "succeed";
  expect_status(grpc("RegisterBranch", branch), GrpcCode::ok, "");
  dtmgimp::DtmRequest submit = dtm_request("w", "workflow", 0);
  (*submit.mutable_reqextra())["status"] = "succeed";
  (*submit.mutable_reqextra())["result"] = "AQI=";
  expect_status(grpc("Submit", submit), GrpcCode::ok, "");
  expect_status(grpc("Submit", submit), GrpcCode::internal, "storage: NotFound");
  dtmgimp::DtmProgressesReply reply;
  ASSERT_TRUE(reply.ParseFromString(grpc("PrepareWorkflow", prepare).message));
  EXPECT_EQ(reply.transaction().gid(), "w");
  EXPECT_EQ(reply.transaction().status(), "succeed");
  EXPECT_EQ(reply.transaction().result(), "AQI=");
  ASSERT_EQ(reply.progresses_size(), 1);
  EXPECT_EQ(reply.progresses(0).branchid(), "01");
  EXPECT_EQ(reply.progresses(0).op(), "action");
  EXPECT_EQ(reply.progresses(0).status(), "succeed");
  EXPECT_EQ(reply.progresses(0).bindata(), std::string("\x08\x00\xff", 3));
}

TEST_F(GrpcApiTest, SubmitOfAnOngoingXaIsAFailedPrecondition) {
  grpc("Prepare", dtm_request("x", "xa", 0));
  dtmgimp::DtmBranchRequest branch;
  branch.set_gid("x");
  branch.set_transtype("xa");
  branch.set_branchid("01");
  (*branch.mutable_data())["url"] = "u1";
  expect_status(grpc("RegisterBranch", branch), GrpcCode::ok, "");
  branches_.reply("commit 01", Outcome::ongoing);
  expect_status(grpc("Submit", waiting("x", "xa", 0)), GrpcCode::failed_precondition, "ONGOING");
}

TEST_F(GrpcApiTest, MsgThatWaitsReportsTheBranchsError) {
  branches_.reply("action 01", Outcome::error, "boom");
  const GrpcReply reply = grpc("Submit", waiting("m", "msg", 1));
  EXPECT_EQ(to_string(reply.status.code), to_string(GrpcCode::unknown));
  EXPECT_THAT(reply.status.message, HasSubstr("unkown result will be retried: boom"));
  EXPECT_EQ(reply.trailers.find("concerto-outcome"), "pending");
}

TEST_F(GrpcApiTest, ATrailerSaysWhetherTheSagaGoesOn) {
  branches_.reply("action 01", Outcome::error, "boom");
  const GrpcReply pending = grpc("Submit", waiting("goes-on", "saga", 1));
  EXPECT_EQ(to_string(pending.status.code), to_string(GrpcCode::aborted));
  EXPECT_EQ(pending.trailers.find("concerto-outcome"), "pending");
  branches_.reply("action 01", Outcome::failure, "no");
  const GrpcReply ended = grpc("Submit", waiting("failed", "saga", 1));
  EXPECT_EQ(to_string(ended.status.code), to_string(GrpcCode::aborted));
  EXPECT_EQ(ended.trailers.find("concerto-outcome"), std::nullopt);
}

TEST_F(GrpcApiTest, DeadlineEndsOnlyTheWaiting) {
  branches_.hold("action 01");
  const auto reply =
      start(grpc_call("Submit", waiting("g", "saga", 2).SerializeAsString(), timers_.now() + 1s));
  run_until([&] { return branches_.waits("action 01"); });
  // The branch call's own deadline, not the caller's.
  EXPECT_GT(branches_.requests[0].deadline, timers_.now() + 2s);
  advance(1s);
  run_until([&] { return reply->has_value(); });
  EXPECT_EQ(to_string((*reply)->status.code), to_string(GrpcCode::deadline_exceeded));
  EXPECT_EQ(status_of("g"), "submitted");
  branches_.answer("action 01", Outcome::success);
  run_until([&] { return status_of("g") == "succeed"; });
}

TEST_F(GrpcApiTest, ShutdownAnswersWaitersWithUnavailable) {
  branches_.hold("action 01");
  const auto reply = start(grpc_call("Submit", waiting("g", "saga", 1).SerializeAsString()));
  run_until([&] { return branches_.waits("action 01"); });
  bool stopped = false;
  asio::co_spawn(io_, coordinator_.stop(timers_.now()),
                 [&](const std::exception_ptr&) { stopped = true; });
  poll();
  branches_.release_all();
  run_until([&] { return reply->has_value(); });
  EXPECT_EQ(to_string((*reply)->status.code), to_string(GrpcCode::unavailable));
  run_until([&] { return stopped; });
}

TEST_F(GrpcApiTest, TopicsAreSubscribedAndDeleted) {
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("tp");
  expect_status(grpc("Subscribe", topic), GrpcCode::unknown, "empty url");
  topic.set_url("u1");
  expect_status(grpc("Subscribe", topic), GrpcCode::ok, "");
  expect_status(grpc("Subscribe", topic), GrpcCode::unknown, "this url exists");
  dtmgimp::DtmRequest msg = waiting("m", "msg", 0);
  msg.set_steps(R"([{"action":"topic://tp"}])");
  msg.add_binpayloads("p");
  expect_status(grpc("Submit", msg), GrpcCode::ok, "");
  EXPECT_THAT(branches_.calls, ElementsAre("action 01"));
  expect_status(grpc("Unsubscribe", topic), GrpcCode::ok, "");
  expect_status(grpc("Unsubscribe", topic), GrpcCode::unknown, "this topic is empty");
  msg.set_gid("n");
  expect_status(grpc("Submit", msg), GrpcCode::internal, "topic not found");
  expect_status(grpc("DeleteTopic", topic), GrpcCode::ok, "");
  expect_status(grpc("DeleteTopic", topic), GrpcCode::unknown, "storage: NotFound");
}

TEST_F(GrpcApiTest, UnknownMethodsAreUnimplemented) {
  EXPECT_EQ(to_string(await(grpc_call("Nope", "")).status.code),
            to_string(GrpcCode::unimplemented));
}

TEST_F(GrpcApiTest, HealthSaysWhetherItServes) {
  const auto check = [&](const std::string& request) {
    return await(channel_->unary("/grpc.health.v1.Health/Check", request, {}, SteadyTime::max()))
        .message;
  };
  const std::string dtm =
      "\x0a\x0b"
      "dtmgimp.Dtm";
  EXPECT_EQ(check(""), "\x08\x01");
  EXPECT_EQ(check(dtm), "\x08\x01");
  grpc_api_.set_serving(false);
  EXPECT_EQ(check(""), "\x08\x02");
  EXPECT_EQ(check(dtm), "\x08\x02");
}

Task<std::string> list_services(GrpcChannel& channel, std::string version) {
  const std::string method =
      "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo";
  GrpcMetadata metadata;
  const auto stream = channel.open_stream(method, std::move(metadata), SteadyTime::max());
  co_await stream->write("\x3a\x01*");
  stream->writes_done();
  const auto reply = co_await stream->read();
  const GrpcReply end = co_await stream->finish();
  co_return reply.value_or(end.status.message);
}

TEST_F(GrpcApiTest, ReflectionListsTheService) {
  for (const char* version : {"v1", "v1alpha"}) {
    EXPECT_THAT(await(list_services(*channel_, version)), HasSubstr("dtmgimp.Dtm")) << version;
  }
}

}  // namespace
}  // namespace concerto::net::test
