// What the front ends tell the coordinator about a client: its address, its trace and its deadline.

#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::MatchesRegex;

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string trace_field = "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n";

class WhoAsks : public ApiTest {
 protected:
  /// Begins a POST with additional header fields.
  RawPeer& post_with(const std::string& path, const std::string& fields, const std::string& body) {
    RawPeer& peer = connect_http();
    peer.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return peer;
  }

  HttpAnswer end(RawPeer& peer) {
    run_until([&] { return peer.saw_end(); });
    return parse_answer(peer.received());
  }

  /// Expects that a submit, which waits for its first branch, is answered at the client's deadline.
  void expect_wait_ends(const std::string& path, const std::string& body,
                        const std::string& fields = "Prefer: wait=2\r\n") {
    branches_.hold("action 01");
    RawPeer& peer = post_with(path, fields, body);
    run_until([&] { return branches_.waits("action 01"); });
    advance(1999ms);
    poll();
    EXPECT_EQ(peer.received(), "");
    advance(1ms);
    const HttpAnswer answer = end(peer);
    EXPECT_THAT(answer.body, HasSubstr("gid g is still being processed"));
    EXPECT_THAT(answer.head, HasSubstr("Concerto-Outcome: pending\r\n"));
    branches_.answer("action 01", Outcome::success);
    run_until([&] { return status_of("g") == "succeed"; });
  }
};

TEST_F(WhoAsks, AnHttpClientIsLoggedWithItsTrace) {
  post("submit", json_request("g", "saga", 1));
  end(post_with("/api/dtmsvr/resetNextCronTime", trace_field, R"({"gid":"g"})"));
  EXPECT_THAT(observer_.lines, Contains(MatchesRegex("g: try now, asked by 127\\.0\\.0\\.1:[0-9]+, "
                                                     "trace " +
                                                     trace)));
}

TEST_F(WhoAsks, AGrpcClientIsLogged) {
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("t");
  topic.set_url("localhost:1/busi.Busi/A");
  EXPECT_TRUE(grpc("Subscribe", topic).ok());
  EXPECT_THAT(observer_.lines,
              Contains(MatchesRegex(": subscribe to topic 't', asked by 127\\.0\\.0\\.1:[0-9]+")));
}

TEST_F(WhoAsks, AnHttpClientsDeadlineEndsOnlyItsWaiting) {
  expect_wait_ends("/api/dtmsvr/submit", json_request("g", "saga", 1, R"(,"wait_result":true)"));
}

TEST_F(WhoAsks, AJsonRpcClientsDeadlineEndsOnlyItsWaiting) {
  expect_wait_ends("/api/json-rpc", R"({"jsonrpc":"2.0","id":1,"method":"submit","params":)" +
                                        json_request("g", "saga", 1, R"(,"wait_result":true)") +
                                        "}");
}

TEST_F(WhoAsks, TheServersMaximumEndsTheWaitingToo) {
  router_.set_wait_max(2s);
  expect_wait_ends("/api/dtmsvr/submit", json_request("g", "saga", 1, R"(,"wait_result":true)"),
                   "");
}

TEST_F(WhoAsks, AClientWithoutADeadlineWaitsForTheEnd) {
  branches_.hold("action 01");
  RawPeer& peer = post_with("/api/dtmsvr/submit", "Prefer: wait=never\r\n",
                            json_request("g", "saga", 1, R"(,"wait_result":true)"));
  run_until([&] { return branches_.waits("action 01"); });
  advance(1min);
  poll();
  EXPECT_EQ(peer.received(), "");
  branches_.answer("action 01", Outcome::success);
  EXPECT_EQ(end(peer).status, 200U);
}

}  // namespace
}  // namespace concerto::net::test
