#include <gmock/gmock.h>

#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

#define LONG_TEXT "0123456789012345678901234567890123456789012345678901234567890123456789"
#define LONG_VALUE                                                                          \
  LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT \
      LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT

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

TEST_F(HttpServerTest, ReadsARefusedBodyToItsEnd) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  serve(options);
  RawPeer& peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nabc");
  run_until_received(peer, "10 bytes");
  EXPECT_FALSE(peer.saw_end());
  peer.send("defghijk");
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
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
  run_until_received(peer, "10 bytes");
  peer.socket().set_option(tcp::no_delay(true));
  for (int second = 0; second < 30; second += 4) {
    EXPECT_EQ(server_->connection_count(), 1U);
    peer.send("more");
    poll();
    advance(std::chrono::seconds{4});
  }
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerTest, ARefusedClientHasAsMuchTimeAsABodyMayTake) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  options.body_timeout = std::chrono::seconds{8};
  serve(options);
  RawPeer& peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
  run_until_received(peer, "10 bytes");
  peer.socket().set_option(tcp::no_delay(true));
  for (int second = 0; second < 8; second += 4) {
    EXPECT_EQ(server_->connection_count(), 1U);
    peer.send("more");
    poll();
    advance(std::chrono::seconds{4});
  }
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerTest, ClosesARefusedClientThatSendsNoMore) {
  serve();
  RawPeer& peer = connect();
  peer.send("what is this\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  advance(milliseconds{4'900});
  poll();
  EXPECT_EQ(server_->connection_count(), 1U);
  advance(milliseconds{100});
  run_until([&] { return server_->connection_count() == 0; });
}

struct EarlyRefusal {
  const char* name;
  const char* head;
  unsigned status;
};
void PrintTo(const EarlyRefusal& row, std::ostream* out) {
  *out << row.name;
}

class HttpEarlyRefusal : public ServerTest, public testing::WithParamInterface<EarlyRefusal> {};

// The body is larger than the buffers of both sockets, so the client would hang if the server
// stopped reading.
TEST_P(HttpEarlyRefusal, IsReadByAClientThatWritesItsBodyFirst) {
  serve();
  connect();
  run_until([&] { return server_->connection_count() == 1; });
  HttpServerOptions options;
  options.header_bytes_max = 1000;
  if (GetParam().status == 503) options.connections_max = 1;
  server_->set_limits(options);
  RawPeer& peer = connect();
  const std::string body(20 << 20, 'b');
  bool was_sent = false;
  error_code failed;
  std::string request = GetParam().head;
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  asio::async_write(peer.socket(), asio::buffer(request),
                    [&](const error_code& error, std::size_t) {
                      failed = error;
                      was_sent = true;
                    });
  run_until([&] { return was_sent && peer.saw_end(); });
  EXPECT_FALSE(failed) << failed.message();
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 " + std::to_string(GetParam().status) + " "));
  EXPECT_THAT(peer.received(), EndsWith("\"}"));
}

#define POST_LINE "POST /echo HTTP/1.1\r\nHost: h\r\n"

INSTANTIATE_TEST_SUITE_P(
    Table, HttpEarlyRefusal,
    testing::Values(EarlyRefusal{"LargeBody", POST_LINE, 413},
                    EarlyRefusal{"LargeBodyOfNoPath", "POST /nope HTTP/1.1\r\nHost: h\r\n", 413},
                    EarlyRefusal{"PackedBody", POST_LINE "Content-Encoding: gzip\r\n", 415},
                    EarlyRefusal{"OddExpectation", POST_LINE "Expect: tea\r\n", 417},
                    EarlyRefusal{"LargeHeader", POST_LINE "A: " LONG_VALUE "\r\n", 431},
                    EarlyRefusal{"BadHeader", POST_LINE "A b: c\r\n", 400},
                    EarlyRefusal{"BadHost", "POST /echo HTTP/1.1\r\nHost: a/b\r\n", 400},
                    EarlyRefusal{"OtherCoding", POST_LINE "Transfer-Encoding: gzip, chunked\r\n",
                                 501},
                    EarlyRefusal{"OtherVersion", "POST /echo HTTP/2.0\r\nHost: h\r\n", 505},
                    EarlyRefusal{"TooManyConnections", POST_LINE, 503}),
    [](const auto& row) { return row.param.name; });

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

TEST_F(HttpServerTest, NamesTheContentCodingThatItTakes) {
  serve();
  RawPeer& peer = connect();
  peer.send(POST_LINE "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(peer.received(), HasSubstr("\r\nAccept-Encoding: identity\r\n"));
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
        PathCase{"HeadOfWhatGetReads", "HEAD /hello", 200},
        PathCase{"HeadOfWhatGetChanges", "HEAD /change", 404},
        PathCase{"Options", "OPTIONS /hello", 404}, PathCase{"OptionsForAll", "OPTIONS *", 404},
        PathCase{"AnyMethod", "PATCH /ping", 200}, PathCase{"UnknownMethod", "BREW /ping", 200},
        PathCase{"Prefix", "DELETE /topic/a%2Fb", 200},
        PathCase{"PrefixOtherMethod", "GET /topic/a", 404},
        PathCase{"AbsoluteForm", "GET http://other/hello?x=1", 200},
        PathCase{"EncodedLetter", "GET /%68ello", 400}, PathCase{"Throws", "GET /throw", 500}),
    [](const auto& row) { return row.param.name; });

struct GarbageCase {
  const char* name;
  const char* text;
  unsigned status;
};
void PrintTo(const GarbageCase& row, std::ostream* out) {
  *out << row.name;
}

class HttpServerGarbage : public ServerTest, public testing::WithParamInterface<GarbageCase> {};

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
        GarbageCase{"Words", "what is this\r\n\r\n", 400},
        GarbageCase{"Bytes", "\x16\x03\x01\x02\x03", 400}, GarbageCase{"Http2", http2_preface, 505},
        GarbageCase{"BadVersion", "GET /hello HTTP/3.1\r\nHost: h\r\n\r\n", 505},
        GarbageCase{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400},
        GarbageCase{"RelativePath", "GET hello HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        GarbageCase{"BrokenEscape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        GarbageCase{"LengthAndChunked",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    400},
        GarbageCase{"TwoLengths",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                    "Content-Length: 4\r\n\r\nabcd",
                    400},
        GarbageCase{"NegativeLength",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n", 400},
        GarbageCase{"UnknownCoding",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
        GarbageCase{"BadChunk",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                    400},
        GarbageCase{"UnknownExpectation",
                    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n",
                    417},
        GarbageCase{"SpaceInName", "GET /hello HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n", 400}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace concerto::net::test
