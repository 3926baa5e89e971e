#include <gmock/gmock.h>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_dispatcher.hpp>
#include <concerto/protocol/http_branch_caller.hpp>

#include "http/client_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SequentialRandom final : public RandomSource {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

/// Remembers the URL of the last call.
class GrpcStandIn final : public BranchCaller {
 public:
  Task<BranchReply> call(BranchCall call) override {
    url = call.url;
    co_return BranchReply{Outcome::ongoing, {}};
  }
  std::string url;
};

class BranchCallTest : public ClientTest {
 protected:
  BranchCall make_call(std::string_view url, std::string_view payload) {
    url_ = url;
    BranchCall call;
    call.gid = &gid_;
    call.mode = &modes::saga;
    call.branch_id = "01";
    call.op = "action";
    call.url = url_;
    call.payload = payload;
    call.headers = &headers_;
    call.deadline = in(std::chrono::seconds{3});
    return call;
  }

  /// Makes the call, answers with `answer`, and returns request and reply.
  std::pair<std::string, BranchReply> exchange(BranchCall call, std::string_view answer) {
    const std::size_t index = server_.size();
    const auto reply = start(caller().call(call));
    run_until([&] {
      return reply->has_value() || (server_.size() > index && server_[index].has("\r\n\r\n"));
    });
    if (reply->has_value()) return {"", **reply};
    poll();
    server_[index].send(answer);
    run_until([&] { return reply->has_value(); });
    return {server_[index].received(), **reply};
  }

  virtual BranchCaller& caller() { return http_; }

  Gid gid_{"g2"};
  std::string url_;
  std::map<std::string, std::string> headers_;
  ScriptedServer server_{executor()};
  SequentialRandom random_;
  HttpBranchCaller http_{*client_holder(), random_};

 private:
  HttpClient* client_holder() {
    make_client();
    return client_.get();
  }
  void SetUp() override { ServerTest::SetUp(); }
};

constexpr std::string_view success =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

TEST_F(BranchCallTest, RefusesTargetsAtTheRequest) {
  TargetGuard guard;
  HttpClientOptions options;
  options.targets = &guard;
  make_client(options);
  const HttpBranchCaller limited{*client_, random_};
  for (const char* url :
       {"http://169.254.169.254/latest?method=x", "http://a:b@169.254.169.254:80",
        "https://[fd00:ec2::254]/", "http://2852039166", "http://0251.0376.0251.0376/a b"}) {
    for (const Protocol protocol : {Protocol::http, Protocol::json_rpc}) {
      const auto way = limited.way_of(protocol, url);
      ASSERT_FALSE(way) << url;
      EXPECT_NE(way.error().detail.find("is refused by TargetAllow or TargetDeny"),
                std::string::npos)
          << way.error().detail;
      EXPECT_EQ(way.error().detail.find("a:b@"), std::string::npos);
    }
  }
  EXPECT_TRUE(limited.way_of(Protocol::http, "http://127.0.0.1:8081/a"));
  EXPECT_TRUE(limited.way_of(Protocol::http, "http://b.org?x=169.254.169.254"));
}

TEST_F(BranchCallTest, NamesTheAttemptOfARecordedTrace) {
  const auto attempt =
      TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01").value();
  headers_ = {{"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
              {"tracestate", "a=1"}};
  BranchCall call = make_call(server_.url("/pay"), "{}");
  call.trace = &attempt;
  const std::string request = exchange(call, success).first;
  EXPECT_NE(request.find("Traceparent: " + attempt.str() + "\r\n"), std::string::npos) << request;
  EXPECT_EQ(request.find("00f067aa0ba902b7"), std::string::npos) << request;
  EXPECT_NE(request.find("tracestate: a=1"), std::string::npos) << request;
}

TEST_F(BranchCallTest, SaysWhichPayloadsJsonRpcCannotHave) {
  const std::string rpc = "http://a.org/rpc?method=pay";
  for (const char* payload : {"", " \n", "{}", R"({"amount":30})"}) {
    EXPECT_TRUE(http_.takes_rpc_payload(rpc, payload)) << payload;
  }
  for (const char* payload : {"[1]", "5", "\"s\"", "no json", "{\"a\":}"}) {
    const auto taken = http_.takes_rpc_payload(rpc, payload);
    ASSERT_FALSE(taken) << payload;
    EXPECT_THAT(taken.error().detail, StartsWith("the payload of a JSON-RPC branch is "));
    EXPECT_TRUE(http_.takes_rpc_payload("http://a.org/rest", payload)) << payload;
  }
}

TEST_F(BranchCallTest, SearchesTheWholeOfALongAnswer) {
  const std::string page(100'000, 'x');
  for (const auto& [end, wanted] :
       {std::pair{"FAILURE", Outcome::failure}, std::pair{"ONGOING", Outcome::ongoing},
        std::pair{"SUCCESS", Outcome::success}}) {
    const std::string body = page + end;
    const auto [request, reply] =
        exchange(make_call(server_.url("/in"), "{}"),
                 "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\nConnection: close\r\n\r\n" + body);
    EXPECT_EQ(reply.outcome, wanted) << end;
    EXPECT_LE(reply.error.detail.size(), HttpBranchCaller::error_text_bytes_max + 10);
  }
}

TEST_F(BranchCallTest, PostsThePayload) {
  headers_["test_header"] = "v";
  const auto [request, reply] =
      exchange(make_call(server_.url("/a?x=1#f"), "{\"amount\":30}"), success);
  EXPECT_EQ(reply.outcome, Outcome::success);
  EXPECT_THAT(
      request,
      StartsWith("POST /a?x=1&branch_id=01&gid=g2&op=action&trans_type=saga HTTP/1.1\r\nHost: "));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\ntest_header: v\r\n"));
  EXPECT_THAT(request, EndsWith("\r\nContent-Length: 13\r\n\r\n{\"amount\":30}"));
}

TEST_F(BranchCallTest, AsksForTheHostThatBranchHeadersName) {
  headers_["Host"] = "orders.internal";
  const auto [request, reply] = exchange(make_call(server_.url("/pay"), "{}"), success);
  EXPECT_EQ(reply.outcome, Outcome::success);
  EXPECT_THAT(request, HasSubstr(" HTTP/1.1\r\nHost: orders.internal\r\n"));
  EXPECT_THAT(request, Not(HasSubstr(server_.port())));
}

TEST_F(BranchCallTest, GetsWithoutPayload) {
  const auto [request, reply] = exchange(make_call(server_.url("/a"), ""), success);
  EXPECT_EQ(reply.outcome, Outcome::success);
  EXPECT_THAT(request, StartsWith("GET /a?branch_id=01&"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Content-Length")));
}

TEST_F(BranchCallTest, PostsForXaEvenWithoutPayload) {
  BranchCall call = make_call(server_.url("/a"), "");
  call.mode = &modes::xa;
  const auto [request, reply] = exchange(call, success);
  EXPECT_THAT(request, StartsWith("POST /a?branch_id=01&gid=g2&op=action&trans_type=xa "));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Length: 0\r\n"));
}

TEST_F(BranchCallTest, LetsBranchHeadersReplaceOurs) {
  headers_["content-type"] = "text/xml";
  headers_["User-Agent"] = "mine";
  const auto [request, reply] = exchange(make_call(server_.url("/a"), "x"), success);
  EXPECT_THAT(request, HasSubstr("\r\ncontent-type: text/xml\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("application/json\r\nContent-Length")));
  EXPECT_THAT(request, Not(HasSubstr("Content-Type: application/json")));
  EXPECT_THAT(request, HasSubstr("\r\nUser-Agent: mine\r\n"));
}

TEST_F(BranchCallTest, RefusesIllegalBranchHeaders) {
  headers_["a\r\nEvil"] = "1";
  const auto [request, reply] = exchange(make_call(server_.url("/a"), "x"), success);
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_EQ(reply.error.code, HttpErrc::bad_header);
  EXPECT_EQ(server_.size(), 0U);
}

TEST_F(BranchCallTest, TellsFailureAndItsText) {
  const auto [request, reply] =
      exchange(make_call(server_.url("/a"), "x"),
               "HTTP/1.1 409 Conflict\r\nContent-Length: 8\r\n\r\nno money");
  EXPECT_EQ(reply.outcome, Outcome::failure);
  EXPECT_EQ(reply.error.detail, "no money FAILURE");
}

TEST_F(BranchCallTest, TellsTransportErrors) {
  const auto [request, reply] = exchange(make_call("localhost:1/a", "x"), success);
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_EQ(reply.error.code, HttpErrc::unsupported_scheme);
  EXPECT_THAT(reply.error.detail, StartsWith("unsupported protocol scheme \"localhost\""));
}

TEST_F(BranchCallTest, SpeaksJsonRpc) {
  BranchCall call = make_call(server_.url("/rpc?method=In"), "{\"amount\":30}");
  call.protocol = Protocol::json_rpc;
  const auto [request, reply] =
      exchange(call, "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"error\":{\"code\":-32902}}");
  EXPECT_EQ(reply.outcome, Outcome::ongoing);
  EXPECT_THAT(request, StartsWith("POST /rpc?method=In HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\n\r\n{\"id\":\"12\",\"jsonrpc\":\"2.0\",\"method\":\"In\","
                                 "\"params\":{\"branch_id\":\"01\",\"gid\":\"g2\","));
}

TEST_F(BranchCallTest, OurOwnMembersReplaceThoseOfAJsonRpcPayload) {
  const std::pair<const char*, const char*> rows[] = {
      {R"( { "gid" : {"a":[1,"}\"{"]} , "x" : 1.50 } )", R"(, "x" : 1.50 }})"},
      {R"({"x":"{[,","op":2,"y":[{},[]]})", R"(,"x":"{[,","y":[{},[]]}})"},
      {R"({"\u0067id":1})", R"("trans_type":"saga"}})"},
      {"{ }", R"("trans_type":"saga"}})"},
  };
  for (const auto& [payload, end] : rows) {
    BranchCall call = make_call(server_.url("/rpc?method=In"), payload);
    call.protocol = Protocol::json_rpc;
    const auto [request, reply] = exchange(call, success);
    EXPECT_TRUE(request.ends_with(end)) << request;
    EXPECT_THAT(request, HasSubstr(R"("params":{"branch_id":"01","gid":"g2","op":"action",)"));
  }
}

TEST_F(BranchCallTest, TellsABadJsonRpcPayload) {
  BranchCall call = make_call(server_.url("/rpc?method=In"), "[1]");
  call.protocol = Protocol::json_rpc;
  const auto [request, reply] = exchange(call, success);
  EXPECT_EQ(reply.outcome, Outcome::error);
  EXPECT_EQ(reply.error.code, HttpErrc::bad_payload);
}

TEST_F(BranchCallTest, DetectsUrlsThatCannotBeCalled) {
  for (const char* url : {"http://h", "http://h:80/a", "https://u:p@h/a?b#c", "HTTP://h/%20 x",
                          "http://[::1]:80/", "http://h/\xC3\xA4", "http://a_b/"}) {
    EXPECT_TRUE(http_.way_of(Protocol::http, url)) << url;
  }
  for (const char* url :
       {"file:///etc/passwd", "h:80/a", "http://", "http://h:0/", "http://h:65536/",
        "http://h:/\x01", "http://h/a\r\nb", "http://h\x7F/", "ftp://h", "x"}) {
    EXPECT_FALSE(http_.way_of(Protocol::http, url)) << url;
  }
}

TEST_F(BranchCallTest, HeadersThatHttpCannotCarryAreNamed) {
  const BranchCall call = make_call("http://h", "");
  headers_ = {{"A_b", "v\tw\xC3\xA4"}};
  EXPECT_TRUE(http_.can_carry(0, call));
  headers_ = {{"a b", "v"}};
  EXPECT_THAT(http_.can_carry(0, call).error().detail, HasSubstr("branch header 'a b' cannot"));
  headers_ = {{"h", "v\r\nX: y"}};
  EXPECT_THAT(http_.can_carry(0, call).error().detail, HasSubstr("branch header 'h' cannot"));
}

TEST_F(BranchCallTest, HeadersThatWouldNotBeSentAreNamed) {
  const BranchCall call = make_call("http://h", "");
  headers_ = {{"Host", "orders.internal:80"}, {"Content-Type", "x/y"}, {"User-Agent", "me"}};
  EXPECT_TRUE(http_.can_carry(0, call));
  const std::pair<const char*, const char*> rows[] = {{"host", "a/b"},
                                                      {"Host", ""},
                                                      {"content-length", "1"},
                                                      {"Transfer-Encoding", "chunked"},
                                                      {"Connection", "close"},
                                                      {"Keep-Alive", "1"},
                                                      {"Proxy-Connection", ""},
                                                      {"Upgrade", "h2c"},
                                                      {"TE", "trailers"},
                                                      {"Trailer", "x"},
                                                      {"Expect", "x"},
                                                      {"HTTP2-Settings", "x"},
                                                      {"x-forwarded-for", "10.0.0.1"},
                                                      {"X-Concerto-Reason", "r"},
                                                      {":path", "/"}};
  for (const auto& [name, value] : rows) {
    headers_ = {{name, value}};
    const Result<> carried = http_.can_carry(0, call);
    ASSERT_FALSE(carried) << name;
    EXPECT_THAT(carried.error().detail,
                HasSubstr("branch header '" + std::string{name} + "' cannot be sent over HTTP"));
  }
}

TEST_F(BranchCallTest, HostsThatThePolicyRefusesAreNamed) {
  TargetGuard guard(TargetPolicy::make("10.0.0.0/8, b.org", "").value());
  HttpClientOptions options;
  options.targets = &guard;
  make_client(options);
  const HttpBranchCaller limited{*client_, random_};
  const BranchCall call = make_call("http://u:p@10.0.0.1:81/a", "");
  headers_ = {{"host", "inside.org"}};
  const Result<> refused = limited.can_carry(0, call);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail,
            "branch header 'host' cannot be sent over HTTP: target http://inside.org:81 is refused "
            "by TargetAllow or TargetDeny");
  for (const char* host : {"10.0.0.1", "10.0.0.1:81", "b.org", "B.ORG:80"}) {
    headers_ = {{"Host", host}};
    EXPECT_TRUE(limited.can_carry(0, call)) << host;
  }
}

TEST_F(BranchCallTest, HeadersWithOneNameAreNamed) {
  const BranchCall call = make_call("http://h", "");
  headers_ = {{"X", "a"}, {"X-a", "b"}, {"y", "c"}};
  EXPECT_TRUE(http_.can_carry(0, call));
  headers_ = {{"X", "a"}, {"X-a", "b"}, {"Y", "c"}, {"x", "b"}};
  const Result<> carried = http_.can_carry(0, call);
  ASSERT_FALSE(carried);
  EXPECT_THAT(carried.error().detail,
              HasSubstr("branch header 'x' cannot be sent over HTTP: 'X' is the same name"));
}

// A stored transaction may have such headers.
TEST_F(BranchCallTest, OfHeadersWithOneNameTheLastIsSentAndReplacesOurs) {
  headers_ = {{"B", "1"}, {"a", "2"}, {"b", "3"}, {"content-type", "text/x"}};
  const auto [request, reply] = exchange(make_call(server_.url("/"), "x"), success);
  EXPECT_THAT(request, HasSubstr("\r\nb: 3\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\na: 2\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\ncontent-type: text/x\r\n"));
  EXPECT_THAT(request, testing::Not(HasSubstr("B: 1")));
  EXPECT_THAT(request, testing::Not(HasSubstr("application/json\r\ncontent")));
}

TEST_F(BranchCallTest, IsDispatchedByUrl) {
  GrpcStandIn grpc;
  BranchDispatcher plain{http_, grpc, false};
  BranchDispatcher docker{http_, grpc, true};
  EXPECT_EQ(await(plain.call(make_call("", "x"))).outcome, Outcome::success);

  BranchCall call = make_call("localhost:1/p.S/M", "x");
  call.protocol = Protocol::grpc;
  EXPECT_EQ(await(plain.call(call)).outcome, Outcome::ongoing);
  EXPECT_EQ(grpc.url, "localhost:1/p.S/M");
  EXPECT_EQ(await(docker.call(call)).outcome, Outcome::ongoing);
  EXPECT_EQ(grpc.url, "host.docker.internal:1/p.S/M");

  resolver_.hosts["host.docker.internal"] = {asio::ip::address_v4::loopback()};
  const auto reply = start(docker.call(make_call(server_.url("/d"), "x")));
  run_until([&] { return server_.size() == 1 && server_[0].has("\r\n\r\nx"); });
  EXPECT_THAT(server_[0].received(), HasSubstr("\r\nHost: host.docker.internal:"));
  server_[0].send(success);
  run_until([&] { return reply->has_value(); });
  EXPECT_EQ((*reply)->outcome, Outcome::success);
}

/// If one idle connection is dead, a middlebox has usually forgotten all idle connections.
TEST_F(BranchCallTest, ThatTimesOutOnAnOldConnectionClosesOthersOfThatAge) {
  constexpr std::string_view kept_alive = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const auto first = ask(server_, 0);
  const auto second = ask(server_, 1);
  const auto third = ask(server_, 2);
  server_[0].send(kept_alive);
  server_[1].send(kept_alive);
  EXPECT_TRUE(finish(first));
  EXPECT_TRUE(finish(second));
  EXPECT_EQ(client_->idle_connection_count(), 2U);
  advance(std::chrono::seconds{1});
  const auto swallowed = start_get(server_.url("/a"));
  poll();
  server_[2].send(kept_alive);  // This connection is alive, and was used after the request began.
  EXPECT_TRUE(finish(third));
  advance(std::chrono::seconds{3});
  EXPECT_EQ(finish(swallowed).error().code, HttpErrc::timed_out);
  EXPECT_EQ(client_->idle_connection_count(), 1U);
  const std::size_t before = server_[2].received().size();
  const auto next = start_get(server_.url("/a"));
  run_until([&] { return server_[2].received().size() > before; });
  server_[2].send(kept_alive);
  EXPECT_TRUE(finish(next));
}

}  // namespace
}  // namespace concerto::net::test
