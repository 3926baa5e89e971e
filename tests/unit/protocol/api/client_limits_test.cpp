// Who a client is behind a proxy, how much it may send, and at which port a route is served, over
// each front end.

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>

#include <concerto/protocol/access_rules.hpp>
#include <concerto/transport/peer_certificate.hpp>

#include "api_fixture.hpp"
#include "fake_clock.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// What a gate needs. A base of the fixtures, because the gate is made with it.
struct LimitParts {
  concerto::test::FakeClock limit_clock;
  concerto::test::SeededRandom limit_random{1};
  RequestLimiter limiter{limit_clock, limit_random, [](const std::string&) {}};

  GateOptions gate_options() {
    GateOptions options;
    options.limiter = &limiter;
    options.proxies = AddressSet::parse("127.0.0.1").value();
    return options;
  }
};

class ClientLimits : protected LimitParts, public ApiTest {
 protected:
  ClientLimits() : ApiTest({}, gate_options()) {}

  void limit(std::size_t burst) {
    RequestLimits limits;
    limits.requests_per_second = 1;
    limits.burst = burst;
    limiter.set_limits(limits);
  }

  HttpAnswer get_for(const std::string& client, const std::string& target) {
    RawPeer& peer = connect_http();
    peer.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
              "X-Forwarded-For: " + client + "\r\n\r\n");
    run_until([&] { return peer.saw_end(); });
    return parse_answer(peer.received());
  }

  GrpcReply new_gid_for(const std::string& client) {
    GrpcMetadata metadata;
    metadata.add("x-forwarded-for", client);
    return await(
        channel_->unary("/dtmgimp.Dtm/NewGid", "", std::move(metadata), SteadyTime::max()));
  }
};

TEST_F(ClientLimits, AreOfOneClientOverAllFrontEnds) {
  const std::string rpc = R"({"jsonrpc":"2.0","id":7,"method":"newGid"})";
  limit(3);
  EXPECT_EQ(get("/api/dtmsvr/newGid").status, 200U);
  EXPECT_EQ(http("POST", "/api/json-rpc", rpc).status, 200U);
  EXPECT_EQ(grpc("NewGid", google::protobuf::Empty{}).status.code, GrpcCode::ok);

  const HttpAnswer refused = get("/api/dtmsvr/newGid");
  EXPECT_EQ(refused.status, 429U);
  EXPECT_THAT(refused.head, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(refused.body, HasSubstr(R"({"message":"this client sends more than 1 request per)"));
  const HttpAnswer rpc_refused = http("POST", "/api/json-rpc", rpc);
  EXPECT_EQ(rpc_refused.status, 429U);
  EXPECT_THAT(rpc_refused.head, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_THAT(rpc_refused.body,
              AllOf(HasSubstr(R"("error":{"code":-32603,"message":"this client sends more)"),
                    HasSubstr(R"("id":null)"), HasSubstr(R"("jsonrpc":"2.0")")));
  EXPECT_EQ(grpc("NewGid", google::protobuf::Empty{}).status.code, GrpcCode::resource_exhausted);
  limit_clock.advance(1s);
  EXPECT_EQ(get("/api/dtmsvr/newGid").status, 200U);
}

TEST_F(ClientLimits, LeaveProbesAlone) {
  limit(1);
  EXPECT_EQ(get("/api/dtmsvr/newGid").status, 200U);
  EXPECT_EQ(get("/api/dtmsvr/newGid").status, 429U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get("/api/ping").status, 200U);
    EXPECT_EQ(get("/nowhere").status, 404U);
    EXPECT_TRUE(
        await(channel_->unary("/grpc.health.v1.Health/Check", "", {}, SteadyTime::max())).ok());
  }
}

TEST_F(ClientLimits, AreOfTheClientBehindAProxy) {
  limit(1);
  EXPECT_EQ(get_for("192.0.2.7", "/api/dtmsvr/newGid").status, 200U);
  EXPECT_EQ(new_gid_for("192.0.2.7").status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(new_gid_for("192.0.2.8").status.code, GrpcCode::ok);
  EXPECT_EQ(get_for("1.2.3.4, 192.0.2.8", "/api/dtmsvr/newGid").status, 429U)
      << "what the client writes itself does not count";
  EXPECT_EQ(get("/api/dtmsvr/newGid").status, 200U) << "the proxy itself";
}

TEST_F(ClientLimits, AreOffUntilTheyAreSet) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/api/dtmsvr/newGid").status, 200U);
}

TEST_F(ClientLimits, ShowTheClientBehindAProxyInTheLog) {
  get_for("192.0.2.7", "/api/dtmsvr/subscribe?topic=t&url=localhost:1/busi.Busi/A");
  EXPECT_THAT(observer_.lines, Contains(EndsWith("subscribe to topic 't', asked by 192.0.2.7")));
}

/// The same without a trusted proxy.
class WithoutAProxy : public ApiTest {};

TEST_F(WithoutAProxy, NobodyIsBelievedAboutAClient) {
  RawPeer& peer = connect_http();
  peer.send(
      "GET /api/dtmsvr/subscribe?topic=t&url=localhost:1/busi.Busi/A HTTP/1.1\r\nHost: "
      "localhost\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(observer_.lines, Contains(HasSubstr("subscribe to topic 't', asked by 127.0.0.1:")));
  EXPECT_THAT(observer_.lines, Not(Contains(HasSubstr("192.0.2.7"))));
}

constexpr RouteNeeds submit{RouteDeed::changes, RouteRole::clients, RouteBrowser::own_pages};

/// A gate that knows its callers by their certificates.
class LimitsOfCallers : protected LimitParts, public testing::Test {
 protected:
  LimitsOfCallers() {
    RequestLimits limits;
    limits.requests_per_second = 1;
    limiter.set_limits(limits);
  }

  static std::shared_ptr<const AccessRules> rules() {
    AccessTexts texts;
    texts.callers = "shop client cn:shop\nbank client cn:bank\notto operator cn:otto\n";
    return AccessRules::read(texts, {}).value();
  }

  /// The number of a caller's requests that are let in, of three.
  int let_in(const std::string& name) {
    int count = 0;
    for (int i = 0; i < 3; ++i) {
      PeerCertificate certificate;
      certificate.common_name = name;
      RequestContext context;
      context.peer.bytes[15] = 1;
      context.peer.port = 80;
      const auto refusal = gate_.refuse_grpc(submit, context, {}, &certificate, 10);
      if (!refusal) ++count;
      last_ = refusal ? refusal->kind : Refusal::Kind::forbidden;
    }
    return count;
  }

  GateOptions options() {
    GateOptions options = gate_options();
    options.authenticator = &authenticator_;
    return options;
  }

  CallerNames names_{[](const std::string&) {}};
  WrongTokens wrong_{limit_clock, [](const std::string&) {}};
  RightTokens right_{{1, 2}};
  Authenticator authenticator_{rules(), names_, wrong_, right_, limit_clock};
  const Gate gate_{options()};
  Refusal::Kind last_{};
};

TEST_F(LimitsOfCallers, APageOfAnotherSiteIsRefusedBeforeAnybodyIsKnown) {
  HttpRequest request;
  request.method = "POST";
  request.headers.add("Host", "localhost");
  request.headers.add("Origin", "http://evil.test");
  RequestContext context;
  const auto refusal = gate_.refuse_http(submit, context, request);
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->before_caller);
  const Gate open{gate_options()};
  EXPECT_FALSE(open.refuse_http(submit, context, request)->before_caller) << "nobody is asked";
}

TEST_F(LimitsOfCallers, AreOfTheNameAndNoOperators) {
  EXPECT_EQ(let_in("shop"), 1);
  EXPECT_EQ(let_in("bank"), 1) << "at the same address";
  EXPECT_EQ(let_in("otto"), 3) << "an operator";
  EXPECT_EQ(let_in("nobody"), 0);
  EXPECT_EQ(last_, Refusal::Kind::limited) << "who is not known counts for the address";
  EXPECT_EQ(let_in("otto"), 3) << "strangers at the same address change nothing";
}

TEST(ServedPorts, FollowFromTheRoles) {
  GateOptions options;
  options.port = ServedPort::clients;
  options.other_port = "the admin port, 36792";
  const Gate clients{options};
  options.port = ServedPort::operators;
  options.other_port = "ports 36789 (HTTP) and 36790 (gRPC)";
  const Gate admin{options};
  for (const Route& route : RouteTable::standard().rows()) {
    RequestContext context;
    HttpRequest request;
    request.method = "POST";
    const bool for_clients = route.role == RouteRole::clients;
    const bool for_all = route.role == RouteRole::anyone || route.role == RouteRole::callers;
    const auto here = clients.refuse_http(route.needs(), context, request);
    const auto there = admin.refuse_http(route.needs(), context, request);
    EXPECT_EQ(!here, for_clients || for_all) << route.path;
    EXPECT_EQ(!there, !for_clients) << route.path;
    EXPECT_EQ(!clients.refuse_grpc(route.needs(), context, {}), !here) << route.grpc;
    if (here) {
      EXPECT_EQ(here->kind, Refusal::Kind::forbidden);
      EXPECT_EQ(here->sentence, "this request is answered only at the admin port, 36792");
    }
    if (there) {
      EXPECT_THAT(there->sentence, EndsWith("at ports 36789 (HTTP) and 36790 (gRPC)"));
    }
  }
}

TEST(ServedPorts, OfThePageForOperatorsIsTheirs) {
  const RouteNeeds page{RouteDeed::reads, RouteRole::anyone, RouteBrowser::any_page, "admin", true};
  EXPECT_TRUE(page.is_served_at(ServedPort::only));
  EXPECT_TRUE(page.is_served_at(ServedPort::operators));
  EXPECT_FALSE(page.is_served_at(ServedPort::clients));
}

}  // namespace
}  // namespace concerto::net::test
