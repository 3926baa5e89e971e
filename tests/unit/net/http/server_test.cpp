#include <gmock/gmock.h>

#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public ServerTest {};

TEST_F(HttpServerTest, AnswersOnAConnectionThatStays) {
  serve();
  RawPeer& peer = connect();
  peer.send("GET /hello?name=a%20b+c&name=x HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(peer, "hello a b c");
  EXPECT_EQ(peer.received(),
            "HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 23:13:20 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello a b c");
  peer.forget_received();
  peer.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(peer, "hello you");
  EXPECT_FALSE(peer.saw_end());
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrderOneAtATime) {
  serve();
  RawPeer& peer = connect();
  peer.send(
      "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nlast");
  run_until([&] { return waiting_ == 1; });
  poll();
  EXPECT_EQ(waiting_, 1);
  released_.notify_all();
  run_until([&] { return waiting_ == 2; });
  released_.notify_all();
  run_until_received(peer, "last");
  EXPECT_LT(peer.received().find("waited 1"), peer.received().find("waited 2"));
  EXPECT_LT(peer.received().find("waited 2"), peer.received().find("last"));
}

TEST_F(HttpServerTest, ReadsARequestThatComesByteByByte) {
  serve();
  RawPeer& peer = connect();
  constexpr std::string_view request =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n";
  for (const char& byte : request) {
    peer.send({&byte, 1});
    poll();
  }
  run_until_received(peer, "\r\n\r\nabcdefg");
}

TEST_F(HttpServerTest, TellsAClientToContinue) {
  serve();
  RawPeer& peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  run_until_received(peer, "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("body");
  run_until_received(peer, "\r\n\r\nbody");
}

TEST_F(HttpServerTest, RefusesALargeBodyInsteadOfContinuing) {
  serve();
  RawPeer& peer = connect();
  peer.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");
  run_until_received(peer, "4194304 bytes");
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesALargeBodyAndClosesWithoutReadingIt) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  serve(options);
  RawPeer& peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nabc");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_THAT(peer.received(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(peer.received(), EndsWith("{\"message\":\"request body is larger than 10 bytes\"}"));
  peer.close();
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerTest, RefusesALargeChunkedBody) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  serve(options);
  RawPeer& peer = connect();
  peer.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\nabcdef\r\n6\r\nabcdef\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, CutsARefusedClientThatGoesOnSending) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  serve(options);
  RawPeer& peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nabc");
  run_until([&] { return peer.saw_end(); });
  EXPECT_EQ(server_->connection_count(), 1U);
  advance(milliseconds{500});
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerTest, RefusesALargeHeader) {
  HttpServerOptions options;
  options.header_bytes_max = 2000;
  serve(options);
  for (const std::string& header :
       {"A: " + std::string(2500, 'x') + "\r\n\r\n", "A: " + std::string(2500, 'x')}) {
    RawPeer& peer = connect();
    peer.send("GET /hello HTTP/1.1\r\nHost: h\r\n" + header);
    run_until([&] { return peer.saw_end(); });
    EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 431 "));
  }
}

TEST_F(HttpServerTest, RefusesManySmallHeaderFields) {
  HttpServerOptions options;
  options.header_bytes_max = 2000;
  serve(options);
  RawPeer& peer = connect();
  peer.send("GET /hello HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 300 && !peer.saw_end(); ++i) {
    peer.send("name: value\r\n");
    poll();
  }
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, AnswersHeadWithoutBody) {
  serve();
  RawPeer& peer = connect();
  peer.send(
      "HEAD /ping HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /ping?name=end HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(peer, "hello end");
  EXPECT_THAT(peer.received(), HasSubstr("Content-Length: 9\r\n\r\nHTTP/1.1 200 OK"));
}

struct PathCase {
  const char* name;
  const char* line;
  unsigned status;
};
void PrintTo(const PathCase& row, std::ostream* out) {
  *out << row.name;
}

class HttpServerPath : public ServerTest, public testing::WithParamInterface<PathCase> {};

TEST_P(HttpServerPath, IsRouted) {
  serve();
  RawPeer& peer = connect();
  peer.send(std::string{GetParam().line} + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 " + std::to_string(GetParam().status)));
  if (GetParam().status == 404) {
    EXPECT_THAT(peer.received(), HasSubstr("Content-Type: text/plain\r\n"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpServerPath,
    testing::Values(
        PathCase{"Exact", "GET /hello", 200}, PathCase{"Unknown", "GET /nope", 404},
        PathCase{"WrongMethod", "PUT /hello", 404},
        PathCase{"HeadIsAnotherMethod", "HEAD /hello", 404},
        PathCase{"Options", "OPTIONS /hello", 404}, PathCase{"OptionsForAll", "OPTIONS *", 404},
        PathCase{"AnyMethod", "PATCH /ping", 200}, PathCase{"UnknownMethod", "BREW /ping", 200},
        PathCase{"Prefix", "DELETE /topic/a%2Fb", 200},
        PathCase{"PrefixOtherMethod", "GET /topic/a", 404},
        PathCase{"AbsoluteForm", "GET http://other/hello?x=1", 200},
        PathCase{"EncodedPath", "GET /%68ello", 200}, PathCase{"Throws", "GET /throw", 500}),
    [](const auto& row) { return row.param.name; });

struct BadCase {
  const char* name;
  const char* text;
  unsigned status;
};
void PrintTo(const BadCase& row, std::ostream* out) {
  *out << row.name;
}

class HttpServerGarbage : public ServerTest, public testing::WithParamInterface<BadCase> {};

TEST_P(HttpServerGarbage, IsRefusedAndTheServerGoesOn) {
  serve();
  RawPeer& peer = connect();
  peer.send(GetParam().text);
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 " + std::to_string(GetParam().status)));
  EXPECT_THAT(peer.received(), HasSubstr("{\"message\":\""));
  EXPECT_EQ(server_->probe().malformed_count.load(), 1U);
  RawPeer& other = connect();
  other.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(other, "hello you");
}

constexpr const char* http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Table, HttpServerGarbage,
    testing::Values(
        BadCase{"Words", "what is this\r\n\r\n", 400},
        BadCase{"Bytes", "\x16\x03\x01\x02\x03", 400}, BadCase{"Http2", http2_preface, 400},
        BadCase{"BadVersion", "GET /hello HTTP/3.1\r\nHost: h\r\n\r\n", 400},
        BadCase{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400},
        BadCase{"RelativePath", "GET hello HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadCase{"BrokenEscape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadCase{"LengthAndChunked",
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"TwoLengths",
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                "Content-Length: 4\r\n\r\nabcd",
                400},
        BadCase{"NegativeLength", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n",
                400},
        BadCase{"UnknownCoding",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
        BadCase{"BadChunk",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        BadCase{"UnknownExpectation",
                "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n", 417},
        BadCase{"SpaceInName", "GET /hello HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n", 400}),
    [](const auto& row) { return row.param.name; });

TEST_F(HttpServerTest, CutsSlowHeaders) {
  serve();
  RawPeer& silent = connect();
  RawPeer& slow = connect();
  slow.send("GET /hello HT");
  run_until([&] { return server_->connection_count() == 2; });
  poll();
  for (int i = 0; i < 9; ++i) {
    advance(seconds{1});
    slow.send("T");
    poll();
  }
  EXPECT_FALSE(slow.saw_end());
  advance(milliseconds{1001});
  run_until([&] { return slow.saw_end() && silent.saw_end(); });
  EXPECT_EQ(slow.received(), "");
  run_until([&] { return server_->connection_count() == 0; });
  EXPECT_EQ(server_->probe().timed_out_count.load(), 2U);
}

TEST_F(HttpServerTest, CutsSlowBodiesAndIdleConnections) {
  serve();
  RawPeer& slow = connect();
  slow.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo");
  RawPeer& idle = connect();
  idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(idle, "hello you");
  poll();
  advance(seconds{29});
  poll();
  EXPECT_FALSE(slow.saw_end());
  advance(seconds{2});
  run_until([&] { return slow.saw_end(); });
  EXPECT_FALSE(idle.saw_end());
  advance(seconds{90});
  run_until([&] { return idle.saw_end(); });
}

TEST_F(HttpServerTest, NeverCutsAHandlerThatTakesLong) {
  serve();
  RawPeer& peer = connect();
  peer.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1; });
  advance(std::chrono::hours{1});
  poll();
  released_.notify_all();
  run_until_received(peer, "waited 1");
}

TEST_F(HttpServerTest, FinishesTheHandlerOfAClientThatLeft) {
  serve();
  for (const bool by_reset : {false, true}) {
    RawPeer& peer = connect();
    const int before = waiting_;
    peer.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    run_until([&] { return waiting_ == before + 1; });
    by_reset ? peer.reset() : peer.close();
    poll();
    EXPECT_EQ(waited_, before);
    released_.notify_all();
    run_until([&] { return waited_ == before + 1; });
    run_until([&] { return server_->connection_count() == 0; });
  }
}

TEST_F(HttpServerTest, SurvivesAClientThatLeavesMidRequest) {
  serve();
  for (const char* part :
       {"", "GET /he", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"}) {
    RawPeer& peer = connect();
    peer.send(part);
    run_until([&] { return server_->connection_count() == 1; });
    poll();
    peer.reset();
    run_until([&] { return server_->connection_count() == 0; });
  }
  EXPECT_EQ(server_->probe().request_count.load(), 0U);
}

TEST_F(HttpServerTest, RefusesConnectionsBeyondTheLimit) {
  HttpServerOptions options;
  options.connections_max = 2;
  serve(options);
  connect(), connect();
  run_until([&] { return server_->connection_count() == 2; });
  RawPeer& third = connect();
  run_until([&] { return third.saw_end(); });
  EXPECT_THAT(third.received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(third.received(), EndsWith("{\"message\":\"too many connections\"}"));
  peers_[0]->close();
  run_until([&] { return server_->connection_count() == 1; });
  RawPeer& fourth = connect();
  fourth.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(fourth, "hello you");
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  serve();
  RawPeer& once = connect();
  once.send("GET /hello HTTP/1.0\r\n\r\n");
  run_until([&] { return once.saw_end(); });
  EXPECT_THAT(once.received(), HasSubstr("Connection: close\r\n"));
  RawPeer& stays = connect();
  stays.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  run_until_received(stays, "hello you");
  EXPECT_THAT(stays.received(), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(HttpServerTest, DeliversAnswersLargerThanTheSocketTakes) {
  const std::string large(20 << 20, 'x');
  router_.add("GET", "/large", [&](HttpRequest request) {
    request.body = large;
    return echo(std::move(request));
  });
  serve();
  RawPeer& peer = connect();
  peer.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_TRUE(peer.received().ends_with(large));
}

TEST_F(HttpServerTest, CutsAClientThatDoesNotReadItsAnswer) {
  router_.add("GET", "/large", [&](HttpRequest request) {
    request.body.assign(64 << 20, 'x');
    return echo(std::move(request));
  });
  serve();
  TestSocket silent{executor()};
  silent.connect(listener_->local_endpoint());
  asio::write(silent, asio::buffer(std::string_view{"GET /large HTTP/1.1\r\nHost: h\r\n\r\n"}));
  run_until([&] { return server_->probe().request_count.load() == 1; });
  poll();
  EXPECT_EQ(server_->connection_count(), 1U);
  advance(seconds{30});
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerTest, NeverSendsIllegalHeaderFields) {
  router_.add("GET", "/split",
              [&](HttpRequest request) -> Task<HttpResponse> { return split(std::move(request)); });
  serve();
  RawPeer& peer = connect();
  peer.send("GET /split HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(peer.received(), Not(HasSubstr("Evil")));
}

TEST_F(HttpServerTest, DrainClosesIdleConnectionsAndAnswersTheRest) {
  serve();
  RawPeer& idle = connect();
  RawPeer& busy = connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1 && server_->connection_count() == 2; });
  bool drained = false;
  asio::co_spawn(io_, server_->drain(timers_.now() + seconds{5}),
                 [&](const std::exception_ptr&) { drained = true; });
  run_until([&] { return idle.saw_end(); });
  EXPECT_FALSE(drained);
  RawPeer& late = connect();
  run_until([&] { return late.saw_end(); });
  EXPECT_THAT(late.received(), StartsWith("HTTP/1.1 503 "));
  released_.notify_all();
  run_until([&] { return drained; });
  run_until([&] { return busy.saw_end(); });
  EXPECT_THAT(busy.received(), EndsWith("waited 1"));
  EXPECT_THAT(busy.received(), HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerTest, DrainCancelsWhatIsLeftAtItsDeadline) {
  serve();
  RawPeer& busy = connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1; });
  bool drained = false;
  asio::co_spawn(io_, server_->drain(timers_.now() + seconds{5}),
                 [&](const std::exception_ptr&) { drained = true; });
  poll();
  EXPECT_FALSE(drained);
  advance(seconds{5});
  run_until([&] { return drained && busy.saw_end(); });
  EXPECT_EQ(busy.received(), "");
}

TEST_F(HttpServerTest, SpreadsConnectionsOverItsServers) {
  HttpServer first{executor(), timers_, router_.handler()};
  HttpServer second{executor(), timers_, router_.handler()};
  HttpListener listener{executor(), timers_, {&first, &second}};
  ASSERT_TRUE(listener.start(loopback()));
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 6; ++i) {
    peers.push_back(std::make_unique<RawPeer>(executor()));
    peers.back()->connect(listener.local_endpoint());
  }
  run_until([&] { return first.connection_count() == 3 && second.connection_count() == 3; });
  await(listener.stop());
  await(first.drain(timers_.now()));
  await(second.drain(timers_.now()));
}

TEST_F(HttpServerTest, SaysWhereItCannotListen) {
  serve();
  HttpListener other{executor(), timers_, {server_.get()}};
  const auto started = other.start(listener_->local_endpoint());
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail, StartsWith("cannot listen on 127.0.0.1:"));
}

}  // namespace
}  // namespace concerto::net::test
