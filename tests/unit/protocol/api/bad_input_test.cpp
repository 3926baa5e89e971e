// Input that is refused: the server says what is wrong and goes on, and nothing is stored.

#include <functional>

#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class BadInputTest : public ApiTest {};

/// A request that the HTTP and the gRPC front end refuse with the same text.
struct RefusedInputCase {
  const char* name;
  std::string gid;
  std::string type;
  std::function<void(dtmgimp::DtmRequest&)> to_proto;
  std::string to_json;  ///< the same change in JSON
  std::string want;
};

void PrintTo(const RefusedInputCase& row, std::ostream* out) {
  *out << row.name;
}

void nothing(dtmgimp::DtmRequest&) {}

class Refused : public BadInputTest, public testing::WithParamInterface<RefusedInputCase> {};

TEST_P(Refused, AlikeOnBothFrontEnds) {
  const RefusedInputCase& row = GetParam();
  dtmgimp::DtmRequest request = dtm_request(row.gid, row.type, 1);
  row.to_proto(request);
  for (const char* operation : {"submit", "prepare"}) {
    const HttpAnswer answer = post(operation, json_request(row.gid, row.type, 1, row.to_json));
    EXPECT_EQ(answer.status, 500U);
    EXPECT_EQ(boost::json::parse(answer.body).at("message").as_string(), row.want);
  }
  for (const char* method : {"Submit", "Prepare"}) {
    const GrpcReply reply = grpc(method, request);
    EXPECT_EQ(to_string(reply.status.code), to_string(GrpcCode::internal));
    EXPECT_EQ(reply.status.message, row.want);
  }
  expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, Refused,
    testing::Values(
        RefusedInputCase{"MissingGid", "", "saga", nothing, "", "gid is empty"},
        RefusedInputCase{"LongGid", std::string(129, 'g'), "saga", nothing, "",
                         "gid has 129 characters, at most 128 are allowed"},
        RefusedInputCase{"MissingMode", "g", "", nothing, "", "unknow trans type: "},
        RefusedInputCase{"UnknownMode", "g", "sagas", nothing, "", "unknow trans type: sagas"},
        RefusedInputCase{
            "NegativeTimeout", "g", "saga",
            [](auto& request) { request.mutable_transoptions()->set_timeouttofail(-1); },
            R"(,"timeout_to_fail":-1)", "timeout_to_fail must be from 0 to 2147483647, not -1"},
        RefusedInputCase{
            "HugeInterval", "g", "msg",
            [](auto& request) { request.mutable_transoptions()->set_retryinterval(INT64_MAX); },
            R"(,"retry_interval":9223372036854775807)",
            "retry_interval must be from 0 to 2147483647, not 9223372036854775807"},
        RefusedInputCase{"HeaderWithLineEnd", "g", "saga",
                         [](auto& request) {
                           (*request.mutable_transoptions()->mutable_branchheaders())["h"] =
                               "v\r\nX: y";
                         },
                         R"(,"branch_headers":{"h":"v\r\nX: y"})",
                         "the value of branch_headers 'h' has control characters"},
        RefusedInputCase{"UrlThatNothingCouldCall", "g", "saga",
                         [](auto& request) { request.set_queryprepared("file:///unsendable"); },
                         R"(,"query_prepared":"file:///unsendable")",
                         "query_prepared: bad URL file:///unsendable"},
        RefusedInputCase{"TooFewPayloads", "g", "saga",
                         [](auto& request) { request.clear_binpayloads(); }, R"(,"payloads":[])",
                         "payloads has 0 entries for 1 steps"}),
    [](const auto& row) { return row.param.name; });

struct BodyCase {
  const char* name;
  std::string body;
  std::string want;
};

void PrintTo(const BodyCase& row, std::ostream* out) {
  *out << row.name;
}

class BadBody : public BadInputTest, public testing::WithParamInterface<BodyCase> {};

TEST_P(BadBody, IsRefusedByEveryOperation) {
  for (const char* operation : {"submit", "prepare", "abort", "forceStop", "resetNextCronTime"}) {
    const HttpAnswer answer = post(operation, GetParam().body);
    EXPECT_EQ(answer.status, 500U);
    EXPECT_THAT(answer.body, HasSubstr(GetParam().want));
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("dtm_result")));
  }
  expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, BadBody,
    testing::Values(BodyCase{"Empty", "", "the request body is not JSON"},
                    BodyCase{"NotJson", "<gid>g</gid>", "syntax error at byte 0"},
                    BodyCase{"Array", "[1,2]", "must be a JSON object, but is an array"},
                    BodyCase{"GidIsNumber", R"({"gid":1})", "field 'gid' must be a string"},
                    BodyCase{"StepsAreText", R"({"gid":"g","trans_type":"saga","steps":"x"})",
                             "field 'steps' must be an array"}),
    [](const auto& row) { return row.param.name; });

TEST_F(BadInputTest, MalformedProtobufIsRefused) {
  for (const char* method : {"Submit", "Prepare", "Abort"}) {
    const GrpcReply reply = await(grpc_call(method, "\x0a\xff gid"));
    EXPECT_EQ(to_string(reply.status.code), to_string(GrpcCode::internal));
    EXPECT_THAT(reply.status.message, HasSubstr("the request is not a dtmgimp.DtmRequest"));
  }
  expect_untouched();
}

TEST_F(BadInputTest, StepsThatAreNotJsonAreRefused) {
  dtmgimp::DtmRequest request = dtm_request("g", "saga", 1);
  request.set_steps("[{]");
  const GrpcReply reply = grpc("Submit", request);
  EXPECT_EQ(to_string(reply.status.code), to_string(GrpcCode::internal));
  EXPECT_THAT(reply.status.message, HasSubstr("field 'Steps' is not JSON: syntax error at byte 2"));
  expect_untouched();
}

constexpr std::size_t huge_bytes = 64u << 20;

TEST_F(BadInputTest, HugeMessageIsRefused) {
  const GrpcReply reply = await(grpc_call("Submit", std::string(huge_bytes, 'x')));
  EXPECT_EQ(to_string(reply.status.code), to_string(GrpcCode::resource_exhausted));
  expect_untouched();
}

TEST_F(BadInputTest, HugeBodyIsRefused) {
  RawPeer& peer = connect_http();
  const std::string body(huge_bytes, 'x');
  peer.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n");
  bool sent = false;
  asio::async_write(peer.socket(), asio::buffer(body),
                    [&](const error_code&, std::size_t) { sent = true; });
  run_until([&] { return peer.has("\r\n\r\n"); });
  EXPECT_EQ(parse_answer(peer.received()).status, 413U);
  // The server closes at once, or when the time for the rest of the body has passed.
  for (int seconds = 0; !sent && seconds < 600; seconds += 10) {
    poll();
    advance(10s);
  }
  run_until([&] { return sent && peer.saw_end(); });
  expect_untouched();
}

TEST_F(BadInputTest, GarbageInsteadOfHttp2ClosesTheConnection) {
  RawPeer& text = connect_grpc();
  text.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  RawPeer& noise = connect_grpc();
  noise.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage that is longer than a preface");
  RawPeer& frames = connect_grpc();
  frames.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  run_until([&] { return text.saw_end() && noise.saw_end() && frames.saw_end(); });
  expect_untouched();
}

TEST_F(BadInputTest, GarbageInsteadOfHttpIsAnswered) {
  RawPeer& preface = connect_http();
  preface.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  RawPeer& noise = connect_http();
  noise.send(std::string_view{"\x16\x03\x01\x02\x00\x01\r\n\r\n", 10});
  run_until([&] { return preface.saw_end() && noise.saw_end(); });
  EXPECT_TRUE(noise.received().starts_with("HTTP/1.1 400 ")) << noise.received();
  expect_untouched();
}

TEST_F(BadInputTest, SlowPeersAreCutOff) {
  RawPeer& head = connect_http();
  head.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nX-");
  RawPeer& body = connect_http();
  body.send("POST /api/dtmsvr/submit HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{\"gid\":");
  RawPeer& preface = connect_grpc();
  preface.send("PRI * HTTP/2.0\r\n\r\nS");
  RawPeer& silent = connect_grpc();
  for (int second = 0; second < 60; ++second) {
    poll();
    if (!head.saw_end()) head.send("x");
    advance(1s);
  }
  run_until(
      [&] { return head.saw_end() && body.saw_end() && preface.saw_end() && silent.saw_end(); });
  expect_untouched();
}

}  // namespace
}  // namespace concerto::net::test
