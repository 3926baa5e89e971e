// A channel and servers that do not behave as one expects.

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

/// A server that refuses the first calls of its life without having looked at them.
class RefusingPeer : public ShardTest {
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
    if (count > 0) end.receive({buffer, count});
    for (std::size_t i = answered; i < end.requests.size(); ++i, ++answered) {
      if (!raw_answer.empty()) {
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
  std::string raw_answer;  ///< frames to send in place of an answer
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

TEST_F(RefusingPeer, WhoseHeadersStandForMillionsOfBytesLosesItsConnection) {
  raw_answer = http2::raw_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                                http2::header_bomb(http2::Side::client, 12'000));
  const GrpcReply reply = call(0);
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("header list too large"));
  EXPECT_TRUE(reply.sent);
}

/// A peer that accepts the connection and never says anything, on a clock that is moved by hand.
class SilentPeer : public ShardTest {
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
  // The request has arrived: it is behind preface, SETTINGS and WINDOW_UPDATE.
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
