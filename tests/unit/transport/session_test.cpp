#include "http2/session.hpp"

#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_pair.hpp"

namespace concerto::net::http2 {
namespace {

using testing::Contains;
using testing::ElementsAre;

class SessionPair : public testing::Test {
 protected:
  End client{Side::client};
  End server{Side::server};
};

TEST_F(SessionPair, ExchangesSettings) {
  exchange(client, server);
  EXPECT_EQ(client.settings, 1);
  EXPECT_EQ(server.settings, 1);
  EXPECT_EQ(client.session.peer_streams_max(), 1000u);
  EXPECT_TRUE(client.session.can_request());
}

TEST_F(SessionPair, CarriesAnExchangeSplitAtEveryByte) {
  const auto call = client.request();
  call->send("question");
  call->end();
  exchange(client, server, 1);
  ASSERT_EQ(server.requests.size(), 1u);
  const auto served = server.requests[0];
  EXPECT_THAT(served->log, ElementsAre(":method: POST", ":scheme: http", ":path: /s/m",
                                       ":authority: test", "headers", "data question", "end"));
  served->respond();
  served->send("answer");
  served->end();
  exchange(client, server, 1);
  EXPECT_THAT(call->log, ElementsAre(":status: 200", "headers", "data answer", "grpc-status: 0",
                                     "headers", "end", "close 0"));
  EXPECT_EQ(served->log.back(), "close 0");
  EXPECT_EQ(client.session.stream_count(), 0u);
  EXPECT_EQ(server.session.stream_count(), 0u);
}

TEST_F(SessionPair, GathersTheFramesOfManyStreamsInOnePull) {
  exchange(client, server);
  for (int i = 0; i < 100; ++i) client.request()->end();
  std::vector<char> buffer(Session::pull_bytes_min * 4);
  const auto count = client.session.pull(buffer);
  ASSERT_TRUE(count);
  EXPECT_TRUE(server.receive({buffer.data(), *count}));
  EXPECT_EQ(server.requests.size(), 100u);
}

TEST_F(SessionPair, StopsAtTheWindowOfAStreamThatIsNotRead) {
  const auto call = client.request();
  call->send(std::string(3u << 20, 'x'));
  exchange(client, server);
  const auto served = server.requests.at(0);
  EXPECT_EQ(served->received_bytes, 1u << 20);
  const auto other = client.request();
  other->send("small");
  exchange(client, server);
  EXPECT_THAT(server.requests.at(1)->log, Contains("data small"));
  served->consume(1u << 20);
  exchange(client, server);
  EXPECT_EQ(served->received_bytes, 2u << 20);
}

TEST_F(SessionPair, CancelsOnBothSides) {
  const auto call = client.request();
  exchange(client, server);
  call->reset(NGHTTP2_CANCEL);
  exchange(client, server);
  EXPECT_EQ(server.requests.at(0)->log.back(), "close 8");
  EXPECT_EQ(call->log.back(), "close 8");
}

TEST_F(SessionPair, CancelsARequestThatWasNotSent) {
  const auto call = client.request();
  call->reset(NGHTTP2_CANCEL);
  exchange(client, server);
  EXPECT_EQ(call->log.back(), "close 8 unprocessed");
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(SessionPair, TellsWhichStreamsAGoawayExcludes) {
  exchange(client, server);
  const auto served = client.request();
  exchange(client, server);
  server.session.goaway();
  const auto late = client.request();
  exchange(client, server);
  EXPECT_THAT(client.goaways, ElementsAre(static_cast<std::uint32_t>(NGHTTP2_NO_ERROR)));
  EXPECT_EQ(late->log.back(), "close 7 unprocessed");
  // The excluded request does not reach the server's handlers.
  EXPECT_EQ(server.requests.size(), 1u);
  EXPECT_TRUE(served->log.empty());
  EXPECT_FALSE(client.session.can_request());
  server.requests.at(0)->respond();
  server.requests.at(0)->end();
  served->end();
  exchange(client, server);
  EXPECT_EQ(served->log.back(), "close 0");
}

TEST_F(SessionPair, AnswersPings) {
  client.session.ping();
  exchange(client, server);
  EXPECT_EQ(client.ping_acks, 1);
}

TEST_F(SessionPair, ServerThatAnsweredEarlyStopsTheRequest) {
  const auto call = client.request();
  exchange(client, server);
  server.requests.at(0)->respond();
  server.requests.at(0)->end();
  exchange(client, server);
  EXPECT_EQ(call->log.back(), "close 0");
  EXPECT_EQ(server.session.stream_count(), 0u);
}

TEST_F(SessionPair, ClosesEveryStreamWhenTheConnectionIsLost) {
  const auto sent = client.request();
  exchange(client, server);
  const auto unsent = client.request();
  client.session.abandon(NGHTTP2_CANCEL);
  EXPECT_EQ(sent->log.back(), "close 8");
  EXPECT_EQ(unsent->log.back(), "close 8 unprocessed");
  EXPECT_EQ(client.session.stream_count(), 0u);
}

TEST_F(SessionPair, RefusesOtherProtocols) {
  EXPECT_FALSE(server.receive("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  EXPECT_THAT(server.error, testing::HasSubstr("HTTP/2"));
}

TEST_F(SessionPair, RefusesATooLongFrame) {
  const std::string preface = client.pull();
  const std::string frame("\xff\xff\xff\x00\x00\x00\x00\x00\x01", 9);
  server.receive(preface);
  server.receive(frame);
  server.pull();
  EXPECT_TRUE(server.session.finished());
}

TEST_F(SessionPair, EndsAFloodOfPings) {
  server.receive(client.pull());
  const std::string ping(
      "\0\0\x08\x06\0\0\0\0\0"
      "12345678",
      17);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += ping;
  EXPECT_FALSE(server.receive(flood));
}

TEST_F(SessionPair, EndsAFloodOfSettings) {
  server.receive(client.pull());
  const std::string settings("\0\0\0\x04\0\0\0\0\0", 9);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += settings;
  EXPECT_FALSE(server.receive(flood));
}

/// How many fields a stream got, and whether it was told that there were more.
std::pair<std::size_t, bool> told_fields(const RecordingStream& stream) {
  const auto count = std::count_if(stream.log.begin(), stream.log.end(), [](const auto& line) {
    return line.find(": ") != std::string::npos;
  });
  return {count, testing::Value(stream.log, Contains("too large"))};
}

TEST_F(SessionPair, PassesNoFieldsBeyondTheLimitOfTheBlock) {
  server.receive(client.pull());
  constexpr std::uint8_t whole = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
  const std::string block = header_bomb(Side::server, 12);
  ASSERT_TRUE(server.receive(raw_frame(NGHTTP2_HEADERS, whole, 1, block)));
  ASSERT_EQ(server.requests.size(), 1u);
  EXPECT_EQ(told_fields(*server.requests[0]), std::make_pair(std::size_t{9}, true));
  EXPECT_EQ(server.requests[0]->log.back(), "end");
  // HPACK's table is still in step, and the bytes of the next request are counted anew.
  const std::string next = header_bomb(Side::server, 0) + "\xbe";
  ASSERT_TRUE(server.receive(raw_frame(NGHTTP2_HEADERS, whole, 3, next)));
  EXPECT_EQ(told_fields(*server.requests.at(1)), std::make_pair(std::size_t{7}, false));
}

TEST_F(SessionPair, EndsAConnectionWhoseRequestUnpacksToTooMuch) {
  exchange(client, server);
  const std::string block = header_bomb(Side::server, 12'000);
  EXPECT_FALSE(server.receive(raw_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block)));
  EXPECT_EQ(told_fields(*server.requests.at(0)), std::make_pair(std::size_t{9}, true));
  client.receive(server.pull());
  EXPECT_THAT(client.goaways, ElementsAre(static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM)));
}

TEST_F(SessionPair, EndsAConnectionWhoseAnswerUnpacksToTooMuch) {
  const auto call = client.request();
  exchange(client, server);
  const std::string block = header_bomb(Side::client, 12'000);
  EXPECT_FALSE(client.receive(raw_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block)));
  EXPECT_EQ(told_fields(*call), std::make_pair(std::size_t{6}, true));
  server.receive(client.pull());
  EXPECT_THAT(server.goaways, ElementsAre(static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM)));
}

TEST_F(SessionPair, EndsAConnectionThatOpensTooManyStreams) {
  SessionOptions few;
  few.streams_max = 3;
  End small{Side::server, few};
  // This client ignores the limit.
  std::string bytes = client.pull();
  bytes += small.pull().empty() ? "" : std::string("\0\0\0\x04\x01\0\0\0\0", 9);
  for (int i = 0; i < 5; ++i) client.request();
  bytes += client.pull();
  small.receive(bytes);
  small.pull();
  EXPECT_EQ(small.requests.size(), 3u);
  EXPECT_TRUE(small.session.finished());
}

}  // namespace
}  // namespace concerto::net::http2
