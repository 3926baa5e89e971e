#include <gmock/gmock.h>

#include <concerto/base/notifier.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/protocol/grpc_branch_caller.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>

#include "coordinator_world.hpp"
#include "http/shard_fixture.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::StartsWith;

/// Finds no name, because the tests use addresses only.
class NoNames final : public HostResolver {
 public:
  Async<HostAddressList> resolve(std::string host) override {
    co_return make_error(EngineErrc::key_not_found, "no names here: " + host);
  }
};

/// A branch service that keeps its requests and answers as a test says.
class GrpcBranchCallerTest : public ShardTest {
 protected:
  void SetUp() override {
    server_.add_unary("/busi.Busi/A",
                      [this](GrpcRequest request) { return serve(std::move(request)); });
    server_.add_unary("/busi.Busi/Wait",
                      [this](GrpcRequest request) { return wait(std::move(request)); });
    ASSERT_TRUE(listener_.listen(loopback()));
    target_ = "127.0.0.1:" + std::to_string(listener_.address().port());
    call_.gid = &gid_;
    call_.mode = &modes::saga;
    call_.protocol = Protocol::grpc;
    call_.branch_id = "01";
    call_.op = "action";
    call_.headers = &headers_;
    call_.deadline = timers_.now() + 3s;
  }

  void TearDown() override {
    release_ = true;
    released_.notify_all();
    await(channels_.close());
    listener_.close();
    await(server_.drain(timers_.now()));
    poll();
  }

  Task<GrpcReply> serve(GrpcRequest request) {
    for (const auto [name, value] : request.metadata) {
      lines_.push_back(std::string{name}.append(": ").append(value));
    }
    payloads_.push_back(request.message);
    time_left_ = request.deadline - timers_.now();
    co_return GrpcReply::failure(code_, text_);
  }

  Task<GrpcReply> wait(GrpcRequest request) {
    payloads_.push_back(request.message);
    if (!release_) co_await released_.wait();
    co_return GrpcReply::success("");
  }

  BranchReply call(const std::string& url, std::string_view payload = "payload") {
    call_.url = url;
    call_.payload = payload;
    return await(caller_.call(call_));
  }

  GrpcServer server_{executor(), timers_};
  Listener listener_{executor(), timers_, {&server_}};
  concerto::test::SeededRandom random_{1};
  concerto::test::RecordingObserver observer_;
  NoNames names_;
  TargetChannels channels_{DiscoveryShard{executor(), timers_, random_, names_, observer_}, {}};
  GrpcBranchCaller caller_{channels_};
  Notifier released_{executor()};
  bool release_ = false;
  std::string target_;

  Gid gid_{"gg1"};
  std::map<std::string, std::string> headers_{{"Test_header", "v"}};
  BranchCall call_;
  GrpcCode code_ = GrpcCode::ok;
  std::string text_;
  std::vector<std::string> lines_;
  std::vector<std::string> payloads_;
  SteadyTime::duration time_left_{};
};

TEST_F(GrpcBranchCallerTest, SendsPayloadAndIdentity) {
  const std::string payload{"\x08\x1e\x00\xff", 4};
  const BranchReply reply = call(target_ + "/busi.Busi/A", payload);
  EXPECT_EQ(reply.outcome, Outcome::success) << reply.error.detail;
  EXPECT_THAT(payloads_, ElementsAre(payload));
  EXPECT_THAT(lines_, IsSupersetOf({"dtm-gid: gg1", "dtm-trans_type: saga", "dtm-branch_id: 01",
                                    "dtm-op: action", "dtm-dtm: ", "test_header: v"}));
  EXPECT_GT(time_left_, 1s);
  EXPECT_LE(time_left_, 3s);
}

TEST_F(GrpcBranchCallerTest, SendsTheHeadersThatASubmitMayName) {
  const std::string trace("\x00\x01", 2);
  headers_ = {{"grpc-trace-bin", trace}, {"User-Agent", "me"}, {"x.tenant", "a"}};
  EXPECT_TRUE(caller_.can_carry(0, call_));
  const BranchReply reply = call(target_ + "/busi.Busi/A");
  EXPECT_EQ(reply.outcome, Outcome::success) << reply.error.detail;
  EXPECT_THAT(lines_, testing::Contains("grpc-trace-bin: " + trace));
  EXPECT_THAT(lines_, testing::Contains("x.tenant: a"));
}

TEST_F(GrpcBranchCallerTest, WrapsThePayloadOfAResumedWorkflow) {
  call_.mode = &modes::workflow;
  EXPECT_EQ(call(target_ + "/busi.Busi/A", "\x08\x1e").outcome, Outcome::success);
  EXPECT_EQ(call(target_ + "/busi.Busi/A", "").outcome, Outcome::success);
  EXPECT_THAT(payloads_, ElementsAre("\x0a\x02\x08\x1e", ""));
}

TEST_F(GrpcBranchCallerTest, SendsAnEmptyMessageForAnEmptyPayload) {
  EXPECT_EQ(call(target_ + "/busi.Busi/A", "").outcome, Outcome::success);
  EXPECT_THAT(payloads_, ElementsAre(""));
}

TEST_F(GrpcBranchCallerTest, RefusesTargetsAtTheRequestAndAtTheCall) {
  TargetGuard guard;
  TargetChannelsOptions options;
  options.driver = Driver::gozero;
  TargetChannels channels{DiscoveryShard{executor(), timers_, random_, names_, observer_, &guard},
                          options};
  GrpcBranchCaller caller{channels};
  for (const char* url :
       {"169.254.169.254:80/p.S/M", "0xa9fea9fe:80/p.S/M", "[::ffff:a9fe:a9fe]:80/p.S/M",
        "dns:///169.254.43518:80/p.S/M", "passthrough:///169.254.169.254.:80/p.S/M",
        "direct:///127.0.0.1:9,169.254.169.254:80/p.S/M", "dns:///fe80::1/p.S/M",
        "etcd://169.254.169.254:2379/k/p.S/M", "discov://u:p@127.0.0.1:1,0:2/k/p.S/M",
        "dns:169.254.169.254:80/p.S/M"}) {
    const auto way = caller.way_of(Protocol::grpc, url);
    ASSERT_FALSE(way) << url;
    EXPECT_THAT(way.error().detail, HasSubstr("is refused by TargetAllow or TargetDeny")) << url;
  }
  EXPECT_TRUE(caller.way_of(Protocol::grpc, target_ + "/busi.Busi/A"));
  call_.url = "169.254.169.254:80/p.S/M";  // stored before the policy
  call_.payload = "";
  const BranchReply reply = await(caller.call(call_));
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_THAT(reply.error.detail, HasSubstr("target grpc://169.254.169.254:80 is refused"));
  await(channels.close());
}

TEST_F(GrpcBranchCallerTest, DetectsUrlsThatCannotBeCalled) {
  for (const char* url : {"localhost:1/p.S/M", "10.0.0.1:65535/p.S/M", "[::1]:9/p.S/M"}) {
    EXPECT_TRUE(caller_.way_of(Protocol::grpc, url)) << url;
  }
  for (const char* url :
       {"nowhere", "nowhere/p.S/M", "h:1", "h:0/p.S/M", "h:65536/p.S/M", "file:///etc/passwd",
        "ftp://h:1/p.S/M", "h:1/p.S/M\r\nX: y", "h:1/p.S/\xC3\xA4", "h x:1/p.S/M"}) {
    EXPECT_FALSE(caller_.way_of(Protocol::grpc, url)) << url;
  }
  EXPECT_EQ(channels_.channel_count(), 0U);
}

TEST_F(GrpcBranchCallerTest, NamesHeadersThatMetadataCannotCarry) {
  EXPECT_TRUE(caller_.can_carry(0, call_));
  headers_ = {{"User-Agent", "\x01"}, {"trace-bin", "\xFF"}};
  EXPECT_TRUE(caller_.can_carry(0, call_)) << "the transport writes its own, and encodes binary";
  headers_ = {{"h", "\xC3\xA4"}};
  EXPECT_THAT(caller_.can_carry(0, call_).error().detail, HasSubstr("branch header 'h'"));
  headers_ = {{"Host", "a"}};
  EXPECT_THAT(caller_.can_carry(0, call_).error().detail, HasSubstr("branch header 'Host'"));
  headers_ = {};
  call_.branch_id = "\xE4\xB8\xAD";
  EXPECT_THAT(caller_.can_carry(0, call_).error().detail, HasSubstr("branch_id '\xE4\xB8\xAD'"));
  call_.branch_id = "01";
  gid_ = Gid{"\xE4\xB8\xAD"};
  EXPECT_THAT(caller_.can_carry(0, call_).error().detail, HasSubstr("gid '\xE4\xB8\xAD' cannot"));
}

TEST_F(GrpcBranchCallerTest, UsesOneChannelPerTarget) {
  call(target_ + "/busi.Busi/A");
  call(target_ + "/busi.Busi/A");
  EXPECT_EQ(channels_.channel_count(), 1U);
  EXPECT_EQ(server_.connection_count(), 1U);
}

TEST_F(GrpcBranchCallerTest, ReportsFailure) {
  code_ = GrpcCode::aborted;
  text_ = "no money";
  const BranchReply reply = call(target_ + "/busi.Busi/A");
  EXPECT_EQ(reply.outcome, Outcome::failure);
  EXPECT_EQ(reply.error.detail, "no money FAILURE");
}

TEST_F(GrpcBranchCallerTest, ReportsOngoing) {
  code_ = GrpcCode::failed_precondition;
  EXPECT_EQ(call(target_ + "/busi.Busi/A").outcome, Outcome::ongoing);
}

TEST_F(GrpcBranchCallerTest, ReportsOtherStatuses) {
  code_ = GrpcCode::not_found;
  text_ = "x";
  const BranchReply reply = call(target_ + "/busi.Busi/A");
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_EQ(reply.error.detail, "rpc error: code = NotFound desc = x");
  EXPECT_EQ(reply.error.code, GrpcCode::not_found);
}

TEST_F(GrpcBranchCallerTest, ReportsAMethodThatIsNotThere) {
  const BranchReply reply = call(target_ + "/busi.Busi/Nope");
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_THAT(reply.error.detail, StartsWith("rpc error: code = Unimplemented desc = "));
}

TEST_F(GrpcBranchCallerTest, EndsAtTheDeadline) {
  const std::string url = target_ + "/busi.Busi/Wait";
  call_.url = url;
  const auto reply = start(caller_.call(call_));
  run_until([&] { return !payloads_.empty(); });
  advance(3s);
  run_until([&] { return reply->has_value(); });
  EXPECT_EQ((*reply)->outcome, Outcome::error);
  EXPECT_THAT((*reply)->error.detail, StartsWith("rpc error: code = DeadlineExceeded desc = "));
  EXPECT_EQ((*reply)->error.code, Condition::outcome_unknown);
}

TEST_F(GrpcBranchCallerTest, ReportsAServiceThatIsNotThere) {
  listener_.close();
  await(server_.drain(timers_.now()));
  const BranchReply reply = call(target_ + "/busi.Busi/A");
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_THAT(reply.error.detail, StartsWith("rpc error: code = Unavailable desc = "));
  EXPECT_EQ(reply.error.code, Condition::retry_later);
}

TEST_F(GrpcBranchCallerTest, EmptyUrlSucceedsWithoutACall) {
  EXPECT_EQ(call("").outcome, Outcome::success);
  EXPECT_EQ(channels_.channel_count(), 0U);
}

struct UnsentCase {
  const char* name;
  const char* url;
  std::map<std::string, std::string> headers;
  const char* want;
};

void PrintTo(const UnsentCase& row, std::ostream* out) {
  *out << row.name;
}

class Unsent : public GrpcBranchCallerTest, public testing::WithParamInterface<UnsentCase> {};

TEST_P(Unsent, IsAnErrorAndNothingWasSent) {
  headers_ = GetParam().headers;
  const BranchReply reply = call(GetParam().url);
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_THAT(reply.error.detail, HasSubstr(GetParam().want));
  EXPECT_THAT(reply.error.detail, StartsWith("rpc error: code = Unknown desc = "));
  EXPECT_EQ(reply.error.code, Condition::rejected);
  EXPECT_TRUE(payloads_.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Unsent,
    testing::Values(
        UnsentCase{"NoMethod", "localhost:1", {}, "bad url: 'localhost:1'. no '/' found"},
        UnsentCase{"Scheme",
                   "etcd://h:2379/svc/p.S/M",
                   {},
                   "call dtmdriver.Use() before you use custom scheme for 'etcd://"},
        UnsentCase{"HeaderName", "127.0.0.1:1/p.S/M", {{"a b", "v"}}, "branch header 'a b'"},
        UnsentCase{"HeaderValue", "127.0.0.1:1/p.S/M", {{"a", "\n"}}, "branch header 'a'"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::net::test
