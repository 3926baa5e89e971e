// A peer may not send frames that achieve nothing for ever. Correct peers may go on for ever.

#include <chrono>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http2/frame_budget.hpp"
#include "session_pair.hpp"

namespace concerto::net::http2 {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t none = NGHTTP2_FLAG_NONE;
constexpr std::uint8_t end_stream = NGHTTP2_FLAG_END_STREAM;
constexpr std::uint8_t end_headers = NGHTTP2_FLAG_END_HEADERS;
constexpr std::string_view one("\0\0\0\x01", 4);

std::string open_request(std::uint32_t id) {
  return raw_frame(NGHTTP2_HEADERS, end_headers, id, raw_fields(Side::server));
}

std::string informational_answer() {
  return raw_frame(NGHTTP2_HEADERS, end_headers, 1,
                   std::string("\0\x07:status\x03"
                               "103",
                               13));
}

/// The id of the stream that the peer opens in round `number`; stream 1 is open already.
std::uint32_t fresh_id(std::uint32_t number) {
  return 2 * number + 3;
}

struct FloodCase {
  const char* name;
  Side victim;
  std::function<std::string(std::uint32_t number)> frames;
};

class Flood : public testing::TestWithParam<FloodCase> {};

TEST_P(Flood, IsEndedAlthoughItsAnswersAreRead) {
  End victim(GetParam().victim);
  End peer(victim.is_server() ? Side::client : Side::server);
  if (victim.is_server()) {
    exchange(peer, victim);
    ASSERT_TRUE(victim.receive(open_request(1)));
  } else {
    victim.request()->end();
    exchange(peer, victim);
  }
  std::uint32_t rounds = 0;
  while (rounds < 50'000 && victim.receive(GetParam().frames(rounds++))) victim.pull();
  EXPECT_LE(rounds, FrameBudget::frames_max + 1);
  EXPECT_GT(rounds, 100u);
  EXPECT_THAT(victim.error, testing::HasSubstr("get nothing done"));
  EXPECT_THAT(victim.pull(), testing::HasSubstr("get nothing done")) << "the peer is not told why";
}

INSTANTIATE_TEST_SUITE_P(
    AtAServer, Flood,
    testing::Values(
        FloodCase{"EmptyData", Side::server, [](auto) { return raw_frame(NGHTTP2_DATA, none, 1); }},
        FloodCase{"Padding", Side::server,
                  [](auto) {
                    return raw_frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, {"\0", 1});
                  }},
        FloodCase{"WindowOfTheConnection", Side::server,
                  [](auto) { return raw_frame(NGHTTP2_WINDOW_UPDATE, none, 0, one); }},
        FloodCase{"WindowOfAStream", Side::server,
                  [](auto) { return raw_frame(NGHTTP2_WINDOW_UPDATE, none, 1, one); }},
        FloodCase{"Priority", Side::server,
                  [](auto) {
                    return raw_frame(NGHTTP2_PRIORITY, none, 1, {"\0\0\0\0\1", 5});
                  }},
        FloodCase{"Ping", Side::server,
                  [](auto) { return raw_frame(NGHTTP2_PING, none, 0, "12345678"); }},
        FloodCase{"AnswersToNoPing", Side::server,
                  [](auto) { return raw_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678"); }},
        FloodCase{"Settings", Side::server,
                  [](auto) { return raw_frame(NGHTTP2_SETTINGS, none, 0); }},
        FloodCase{"UnknownType", Side::server,
                  [](auto) { return raw_frame(0xee, none, 1, "whatever"); }},
        FloodCase{"ResetRequests", Side::server,
                  [](std::uint32_t n) {
                    return open_request(fresh_id(n)) +
                           raw_frame(NGHTTP2_RST_STREAM, none, fresh_id(n), {"\0\0\0\x08", 4});
                  }},
        FloodCase{"RequestsThatTheServerHasToReset", Side::server,
                  [](std::uint32_t n) {
                    return open_request(fresh_id(n)) + raw_frame(NGHTTP2_WINDOW_UPDATE, none,
                                                                 fresh_id(n),
                                                                 {"\x7f\xff\xff\xff", 4});
                  }},
        FloodCase{"RequestsWithoutAPath", Side::server,
                  [](std::uint32_t n) {
                    return raw_frame(NGHTTP2_HEADERS, end_headers | end_stream, fresh_id(n),
                                     raw_fields(Side::client));
                  }},
        FloodCase{"TooLargeHeaderLists", Side::server,
                  [](std::uint32_t n) {
                    return raw_frame(NGHTTP2_HEADERS, end_headers, fresh_id(n),
                                     header_bomb(Side::server, 10)) +
                           raw_frame(NGHTTP2_RST_STREAM, none, fresh_id(n), {"\0\0\0\x08", 4});
                  }}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    AtAClient, Flood,
    testing::Values(FloodCase{"EmptyData", Side::client,
                              [](std::uint32_t n) {
                                return n == 0 ? raw_frame(NGHTTP2_HEADERS, end_headers, 1,
                                                          raw_fields(Side::client))
                                              : raw_frame(NGHTTP2_DATA, none, 1);
                              }},
                    FloodCase{"InformationalAnswers", Side::client,
                              [](auto) { return informational_answer(); }},
                    FloodCase{"Ping", Side::client,
                              [](auto) { return raw_frame(NGHTTP2_PING, none, 0, "12345678"); }},
                    FloodCase{"Settings", Side::client,
                              [](auto) { return raw_frame(NGHTTP2_SETTINGS, none, 0); }},
                    FloodCase{"WindowOfTheConnection", Side::client,
                              [](auto) { return raw_frame(NGHTTP2_WINDOW_UPDATE, none, 0, one); }},
                    FloodCase{"UnknownType", Side::client,
                              [](auto) { return raw_frame(0xee, none, 0, "whatever"); }}),
    [](const auto& row) { return row.param.name; });

/// A stream whose peer opens the window by one byte at a time.
TEST(Flood, OfWindowsOfOneByteIsEnded) {
  End server(Side::server);
  End client(Side::client);
  client.pull();
  // SETTINGS_INITIAL_WINDOW_SIZE 0.
  ASSERT_TRUE(server.receive(std::string(NGHTTP2_CLIENT_MAGIC) +
                             raw_frame(NGHTTP2_SETTINGS, none, 0, {"\0\x04\0\0\0\0", 6}) +
                             open_request(1)));
  server.requests.at(0)->respond();
  server.requests.at(0)->send(std::string(1u << 20, 'x'));
  server.pull();
  int bytes = 0;
  while (bytes < 50'000 && server.receive(raw_frame(NGHTTP2_WINDOW_UPDATE, none, 1, one))) {
    EXPECT_FALSE(server.pull().empty());
    ++bytes;
  }
  EXPECT_LE(bytes, FrameBudget::frames_max);
}

class HonestPeer : public testing::Test {
 protected:
  End client{Side::client};
  End server{Side::server};
};

TEST_F(HonestPeer, MayCallForEver) {
  exchange(client, server);
  for (int i = 0; i < 30'000 && server.error.empty(); ++i) {
    const auto call = client.request();
    call->send("question");
    call->end();
    exchange(client, server);
    const auto served = server.requests.back();
    served->respond();
    served->send("answer");
    served->end();
    exchange(client, server);
    ASSERT_EQ(call->log.back(), "close 0");
    server.requests.clear();
    // Some clients send this with each call.
    const std::string window = raw_frame(NGHTTP2_WINDOW_UPDATE, none, 0, {"\0\0\0\x0b", 4});
    server.receive(window + raw_frame(NGHTTP2_PING, none, 0, "12345678"));
    server.pull();
  }
  EXPECT_EQ(server.error, "");
  EXPECT_EQ(client.error, "");
}

TEST_F(HonestPeer, MayStreamSmallMessagesForEver) {
  const auto call = client.request();
  exchange(client, server);
  const auto served = server.requests.at(0);
  served->respond();
  for (int i = 0; i < 30'000 && server.error.empty(); ++i) {
    call->send("q");
    served->send("a");
    exchange(client, server);
    server.receive(raw_frame(NGHTTP2_WINDOW_UPDATE, none, 0, one) +
                   raw_frame(NGHTTP2_WINDOW_UPDATE, none, 1, one));
    call->consume(1);
    served->consume(1);
  }
  EXPECT_EQ(server.error, "");
  EXPECT_EQ(client.error, "");
}

TEST_F(HonestPeer, MayPingForEverWhileItIsQuiet) {
  exchange(client, server);
  for (int minutes = 0; minutes < 60; ++minutes) {
    for (int i = 0; i < 600; ++i) {
      ASSERT_TRUE(server.receive(raw_frame(NGHTTP2_PING, none, 0, "12345678"))) << server.error;
      server.pull();
    }
    server.now += 1min;
  }
}

TEST_F(HonestPeer, MayCancelCallsWhoseDeadlinesPassed) {
  exchange(client, server);
  for (int seconds = 0; seconds < 60; ++seconds) {
    for (int i = 0; i < 500; ++i) {
      const auto call = client.request();
      exchange(client, server);
      call->reset(NGHTTP2_CANCEL);
      exchange(client, server);
      ASSERT_EQ(server.error, "");
      server.requests.clear();
    }
    server.now += 1s;
  }
}

}  // namespace
}  // namespace concerto::net::http2
