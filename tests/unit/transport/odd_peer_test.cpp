// A channel and servers with unexpected behaviour.

#include <string>

#include <boost/asio/write.hpp>

#include "fake_clock.hpp"
#include "grpc_fixture.hpp"
#include "session_pair.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

Task<void> call_once(GrpcChannel& channel, GrpcReply& reply, bool& done) {
  GrpcMetadata metadata;
  reply = co_await channel.unary("/s/m", "", metadata, SteadyTime::max());
  done = true;
}

/// A server that refuses its first calls with REFUSED_STREAM, that is, without having processed
/// them.
class RefusingPeer : public GrpcShardTest {
 protected:
  RefusingPeer() : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {
    acceptor.async_accept(socket, [this](const error_code&) { socket.non_blocking(true); });
  }

  /// Makes one call and returns its reply.
  GrpcReply call(std::size_t refusals) {
    StaticAddresses addresses({acceptor.local_endpoint()});
    GrpcChannel channel(executor(), timers, random, addresses);
    TaskGroup group(executor());
    GrpcReply reply;
    bool done = false;
    group.spawn(call_once(channel, reply, done));
    run_until([&] {
      if (socket.is_open()) serve(refusals);
      return done && group.size() == 0;
    });
    return reply;
  }

  void serve(std::size_t refusals) {
    char buffer[4096];
    error_code error;
    const std::size_t count = socket.read_some(asio::buffer(buffer), error);
    std::string received(buffer, count);
    if (without_acks) {
      const std::string ack = http2::raw_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
      if (const auto at = received.find(ack); at != std::string::npos)
        received.erase(at, ack.size());
    }
    if (!received.empty()) end.receive(received);
    for (std::size_t i = answered; i < end.requests.size(); ++i, ++answered) {
      if (i == 0 && !raw_answer.empty()) {
        asio::write(socket, asio::buffer(end.pull() + raw_answer), error);
        continue;
      }
      if (i < refusals) {
        end.requests[i]->reset(NGHTTP2_REFUSED_STREAM);
        continue;
      }
      end.requests[i]->respond();
      end.requests[i]->send(std::string("\0\0\0\0\x02ok", 7));
      end.requests[i]->end();
    }
    const std::string bytes = end.pull();
    if (!bytes.empty()) asio::write(socket, asio::buffer(bytes), error);
  }

  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
  asio::basic_stream_socket<asio::ip::tcp, Executor> socket{executor()};
  http2::End end{http2::Side::server};
  std::size_t answered = 0;
  bool without_acks = false;  ///< drops SETTINGS acknowledgements that `end` does not expect
  std::string raw_answer;     ///< frames to send in place of the first answer
};

TEST_F(RefusingPeer, IsAskedOnceMore) {
  const GrpcReply reply = call(1);
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "ok");
  EXPECT_EQ(end.requests.size(), 2u);
}

TEST_F(RefusingPeer, IsNotAskedAThirdTime) {
  const GrpcReply reply = call(2);
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_FALSE(reply.sent);
  EXPECT_EQ(end.requests.size(), 2u);
}

TEST_F(RefusingPeer, WhoseHeadersUnpackToMillionsOfBytesLosesItsConnection) {
  raw_answer = http2::raw_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                                http2::header_bomb(http2::Side::client, 12'000));
  const GrpcReply reply = call(0);
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("header list too large"));
  EXPECT_TRUE(reply.sent);
}

constexpr std::uint8_t open = NGHTTP2_FLAG_END_HEADERS;
constexpr std::uint8_t last = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
constexpr std::string_view empty_message("\0\0\0\0\0", 5);
constexpr std::string_view compressed_message("\1\0\0\0\2\x78\x9c", 7);

/// An answer on the stream of the first call.
std::string answer(std::initializer_list<std::pair<std::string_view, std::string_view>> headers,
                   std::string_view data,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> trailers) {
  return http2::raw_frame(NGHTTP2_HEADERS, open, 1, http2::raw_fields(headers)) +
         http2::raw_frame(NGHTTP2_DATA, 0, 1, data) +
         http2::raw_frame(NGHTTP2_HEADERS, last, 1, http2::raw_fields(trailers));
}

TEST_F(RefusingPeer, IsAskedOnceMoreAndTheFirstAnswerIsForgotten) {
  constexpr std::string_view refused_stream("\0\0\0\7", 4);
  raw_answer = http2::raw_frame(NGHTTP2_HEADERS, open, 1, http2::raw_fields(http2::Side::client)) +
               http2::raw_frame(NGHTTP2_DATA, 0, 1, empty_message) +
               http2::raw_frame(NGHTTP2_RST_STREAM, 0, 1, refused_stream);
  const GrpcReply reply = call(0);
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "ok");
  EXPECT_EQ(end.requests.size(), 2u);
}

struct OddAnswerCase {
  const char* name;
  std::string frames;
  GrpcCode code;
  const char* text;  ///< a part of the message
};

class OddAnswer : public RefusingPeer, public testing::WithParamInterface<OddAnswerCase> {};

TEST_P(OddAnswer, HasItsStatus) {
  raw_answer = GetParam().frames;
  const GrpcReply reply = call(0);
  EXPECT_EQ(reply.status.code, GetParam().code) << describe(reply.status);
  EXPECT_THAT(reply.status.message, testing::HasSubstr(GetParam().text));
  EXPECT_TRUE(reply.sent);
}

constexpr std::pair<std::string_view, std::string_view> ok_status{":status", "200"};
constexpr std::pair<std::string_view, std::string_view> grpc_type{"content-type",
                                                                  "application/grpc"};
constexpr std::pair<std::string_view, std::string_view> gzip{"grpc-encoding", "gzip"};
constexpr std::pair<std::string_view, std::string_view> bad_base64{"x-bin", "?"};
constexpr std::pair<std::string_view, std::string_view> page{"content-type", "text/html"};
constexpr std::pair<std::string_view, std::string_view> json{"content-type", "application/json"};
constexpr std::pair<std::string_view, std::string_view> success{"grpc-status", "0"};
constexpr std::pair<std::string_view, std::string_view> aborted{"grpc-status", "10"};
constexpr std::string_view html = "<html>welcome</html>";

INSTANTIATE_TEST_SUITE_P(
    Answers, OddAnswer,
    testing::Values(
        OddAnswerCase{"EncodingWithoutAMessage",
                      answer({ok_status, grpc_type, gzip}, "", {aborted}), GrpcCode::aborted, ""},
        OddAnswerCase{"EncodingThatNoMessageUses",
                      answer({ok_status, grpc_type, gzip}, empty_message, {success}), GrpcCode::ok,
                      ""},
        OddAnswerCase{"CompressedMessageAndABORTED",
                      answer({ok_status, grpc_type, gzip}, compressed_message, {aborted}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"CompressedMessage",
                      answer({ok_status, grpc_type, gzip}, compressed_message, {success}),
                      GrpcCode::internal, "compressed message ('gzip')"},
        OddAnswerCase{"TwoMessagesAndABORTED",
                      answer({ok_status, grpc_type},
                             std::string(empty_message) + std::string(empty_message), {aborted}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"TwoMessages",
                      answer({ok_status, grpc_type},
                             std::string(empty_message) + std::string(empty_message), {success}),
                      GrpcCode::internal, "more than one message"},
        OddAnswerCase{"BrokenMetadataAndABORTED",
                      answer({ok_status, grpc_type, bad_base64}, "", {aborted, bad_base64}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"BrokenMetadata",
                      answer({ok_status, grpc_type, bad_base64}, empty_message, {success}),
                      GrpcCode::internal, "invalid base64 in metadata 'x-bin'"},
        OddAnswerCase{"WebPage", answer({ok_status, page}, html, {}), GrpcCode::unknown,
                      "HTTP status 200, content-type 'text/html'"},
        OddAnswerCase{"WebPageWithoutAType", answer({ok_status}, html, {}), GrpcCode::unknown,
                      "HTTP status 200, content-type ''"},
        OddAnswerCase{"JsonWithAStatusOfGrpc", answer({ok_status, json}, empty_message, {success}),
                      GrpcCode::unknown, "content-type 'application/json'"},
        OddAnswerCase{"PageThatSaysABORTED", answer({ok_status, page}, "", {aborted}),
                      GrpcCode::unknown, "content-type 'text/html'"},
        OddAnswerCase{"ProxyWithoutAServer", answer({{":status", "503"}, page}, html, {}),
                      GrpcCode::unavailable, "HTTP status 503, content-type 'text/html'"},
        OddAnswerCase{"ProxyWithASuccess",
                      answer({{":status", "503"}, grpc_type}, empty_message, {success}),
                      GrpcCode::unavailable, "HTTP status 503"},
        OddAnswerCase{"ErrorOfBoth", answer({{":status", "500"}, grpc_type}, "", {aborted}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"SuccessWithoutAType", answer({ok_status}, empty_message, {success}),
                      GrpcCode::ok, ""}),
    [](const auto& row) { return row.param.name; });

constexpr std::pair<std::string_view, std::string_view> unavailable{"grpc-status", "14"};
constexpr std::pair<std::string_view, std::string_view> malformed{"grpc-status", "00"};

INSTANTIATE_TEST_SUITE_P(
    Statuses, OddAnswer,
    testing::Values(
        OddAnswerCase{"OneTwice", answer({ok_status, grpc_type}, empty_message, {success, success}),
                      GrpcCode::ok, ""},
        OddAnswerCase{"ABORTEDAndSuccess",
                      answer({ok_status, grpc_type}, empty_message, {aborted, success}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"SuccessAndABORTED",
                      answer({ok_status, grpc_type}, empty_message, {success, aborted, success}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"ABORTEDInTheHeadersAndSuccessInTheTrailers",
                      answer({ok_status, grpc_type, aborted}, empty_message, {success}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"MalformedAndABORTED",
                      answer({ok_status, grpc_type}, empty_message, {malformed, success, aborted}),
                      GrpcCode::aborted, ""},
        OddAnswerCase{"ErrorAndSuccess",
                      answer({ok_status, grpc_type}, empty_message, {unavailable, success}),
                      GrpcCode::internal, "several grpc-status"},
        OddAnswerCase{
            "SuccessAndError",
            answer({ok_status, grpc_type}, empty_message, {success, unavailable, success}),
            GrpcCode::internal, "several grpc-status"},
        OddAnswerCase{"SuccessAndMalformed",
                      answer({ok_status, grpc_type}, empty_message, {success, malformed}),
                      GrpcCode::internal, "several grpc-status"},
        OddAnswerCase{"Malformed", answer({ok_status, grpc_type}, empty_message, {malformed}),
                      GrpcCode::unknown, ""}),
    [](const auto& row) { return row.param.name; });

/// The server allows no streams when the connection begins.
TEST_F(RefusingPeer, ThatAllowsCallsLaterGetsTheWaitingCalls) {
  StaticAddresses addresses({acceptor.local_endpoint()});
  GrpcChannelOptions options;
  options.connections_per_address_max = 1;
  GrpcChannel channel(executor(), timers, random, addresses, options);
  TaskGroup group(executor());
  GrpcReply reply;
  bool done = false;
  group.spawn(call_once(channel, reply, done));
  run_until([&] { return socket.is_open(); });
  without_acks = true;
  std::string settings = end.pull();
  const std::string_view thousand_streams("\0\3\0\0\3\xe8", 6);
  const std::string_view no_streams("\0\3\0\0\0\0", 6);
  settings.replace(settings.find(thousand_streams), no_streams.size(), no_streams);
  asio::write(socket, asio::buffer(settings));
  for (int rounds = 0; rounds < 20; ++rounds) {
    io.poll_one();
    serve(0);
  }
  EXPECT_TRUE(end.requests.empty());
  const std::string_view ten_streams("\0\3\0\0\0\x0a", 6);
  asio::write(socket, asio::buffer(http2::raw_frame(NGHTTP2_SETTINGS, 0, 0, ten_streams)));
  run_until([&] {
    serve(0);
    return done && group.size() == 0;
  });
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
}

/// Servers that speak other protocols.
class OtherProtocol : public GrpcShardTest, public testing::WithParamInterface<std::string_view> {};

TEST_P(OtherProtocol, IsNamed) {
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(
      io, {asio::ip::address_v4::loopback(), 0});
  asio::basic_stream_socket<asio::ip::tcp, Executor> peer(executor());
  acceptor.async_accept(peer,
                        [&](const error_code&) { asio::write(peer, asio::buffer(GetParam())); });
  StaticAddresses addresses({acceptor.local_endpoint()});
  GrpcChannel channel(executor(), timers, random, addresses);
  TaskGroup group(executor());
  GrpcReply reply;
  bool done = false;
  group.spawn(call_once(channel, reply, done));
  run_until([&] { return done && group.size() == 0; });
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("no gRPC there: HTTP/2 was answered with"));
  EXPECT_FALSE(reply.sent);
}

INSTANTIATE_TEST_SUITE_P(BehindAUrlOfGrpc, OtherProtocol,
                         testing::Values("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                                         std::string_view("\x15\x03\x03\0\2\2\x28", 7)));

/// A peer that accepts the connection and never sends anything. The test moves the clock.
class SilentPeer : public GrpcShardTest {
 protected:
  SilentPeer() : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {}

  test::FakeClock fake;
  Timers fake_timers{executor(), fake};
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
};

TEST_F(SilentPeer, IsGivenUpAfterTheConnectTimeout) {
  StaticAddresses addresses({acceptor.local_endpoint()});
  GrpcChannel channel(executor(), fake_timers, random, addresses);
  TaskGroup group(executor());
  GrpcReply reply;
  bool done = false;
  group.spawn(call_once(channel, reply, done));
  run_until([&] { return channel.connection_count() == 1; });
  fake.advance(5s);
  fake_timers.run_due();
  run_until([&] { return done; });
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("no HTTP/2 SETTINGS frame in time"));
  EXPECT_FALSE(reply.sent);
}

TEST_F(SilentPeer, IsFoundByKeepaliveWhenItFallsSilentLater) {
  StaticAddresses addresses({acceptor.local_endpoint()});
  GrpcChannel channel(executor(), fake_timers, random, addresses);
  TaskGroup group(executor());
  GrpcReply reply;
  bool done = false;
  group.spawn(call_once(channel, reply, done));
  asio::basic_stream_socket<asio::ip::tcp, Executor> peer(executor());
  acceptor.async_accept(peer, [&](const error_code&) {
    asio::write(peer, asio::buffer("\0\0\0\x04\0\0\0\0\0", 9));  // Empty SETTINGS.
  });
  run_until([&] { return channel.connection_count() == 1 && peer.is_open(); });
  // When so many bytes are there, the request has arrived: it follows preface, SETTINGS and
  // WINDOW_UPDATE.
  run_until([&] { return peer.available() > 100; });
  fake.advance(300s);
  fake_timers.run_due();
  EXPECT_FALSE(done);
  fake.advance(20s);
  fake_timers.run_due();
  run_until([&] { return done; });
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("keepalive timeout"));
  EXPECT_TRUE(reply.sent);
}

}  // namespace
}  // namespace concerto::net
