// What each front end tells the coordinator of the one who asks.

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
  /// Begins a POST with more header fields.
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

  /// A submit that waits for its first branch is told no later than its client wants to know.
  void expect_wait_ends(const std::string& path, const std::string& body) {
    branches_.hold("action 01");
    RawPeer& peer = post_with(path, "Prefer: wait=2\r\n", body);
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

TEST_F(WhoAsks, OverHttpItIsToldWithTheTrace) {
  post("submit", json_request("g", "saga", 1));
  end(post_with("/api/dtmsvr/resetNextCronTime", trace_field, R"({"gid":"g"})"));
  EXPECT_THAT(observer_.lines, Contains(MatchesRegex("g: try now, asked by 127\\.0\\.0\\.1:[0-9]+, "
                                                     "trace " +
                                                     trace)));
}

TEST_F(WhoAsks, OverGrpcItIsToldToo) {
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("t");
  topic.set_url("localhost:1/busi.Busi/A");
  EXPECT_TRUE(grpc("Subscribe", topic).ok());
  EXPECT_THAT(observer_.lines,
              Contains(MatchesRegex(": subscribe to topic 't', asked by 127\\.0\\.0\\.1:[0-9]+")));
}

TEST_F(WhoAsks, OverHttpTheCallersDeadlineEndsOnlyItsWaiting) {
  expect_wait_ends("/api/dtmsvr/submit", json_request("g", "saga", 1, R"(,"wait_result":true)"));
}

TEST_F(WhoAsks, OverJsonRpcTheCallersDeadlineEndsOnlyItsWaiting) {
  expect_wait_ends("/api/json-rpc", R"({"jsonrpc":"2.0","id":1,"method":"submit","params":)" +
                                        json_request("g", "saga", 1, R"(,"wait_result":true)") +
                                        "}");
}

TEST_F(WhoAsks, WithoutADeadlineWaitsAsLongAsItTakes) {
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
