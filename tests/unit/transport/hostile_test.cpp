#include <algorithm>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "fake_clock.hpp"
#include "hostile_fixture.hpp"
#include "no_descriptor_left.hpp"
#include "sanitizers.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

TEST_F(Hostile, GarbageEndsItsConnection) {
  start();
  for (const std::string_view garbage :
       {std::string_view("GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
        std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
        std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\x08\0\0\0\0\0\0\0\0\0", 37)}) {
    RawSocket socket = connect();
    send(socket, garbage);
    expect_ended(socket);
  }
}

TEST_F(Hostile, FloodOfPingsEndsItsConnection) {
  start();
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  std::string bytes = client.pull();
  for (int i = 0; i < 100'000; ++i)
    bytes += std::string(
        "\0\0\x08\x06\0\0\0\0\0"
        "12345678",
        17);
  send(socket, bytes);
  expect_ended(socket);
}

TEST_F(Hostile, FloodOfResetsEndsItsConnection) {
  start();
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  for (int i = 0; i < 20'000 && !ended(socket); ++i) {
    const auto stream = client.request("/test.S/Echo");
    send(socket, client.pull());
    stream->reset(NGHTTP2_CANCEL);
    send(socket, client.pull());
  }
  expect_ended(socket);
}

TEST_F(Hostile, LargeHeadersFailTheCall) {
  start();
  GrpcMetadata metadata;
  metadata.add("x-large", std::string(20'000, 'a'));
  const GrpcReply reply =
      run(channel->unary("/test.S/Echo", "", std::move(metadata), SteadyTime::max()));
  EXPECT_EQ(reply.status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(reply.status.message, "received header list larger than max");
  expect_served();
}

TEST_F(Hostile, HeadersThatUnpackToMillionsOfBytesEndTheirConnection) {
  start();
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  const std::string block = http2::header_bomb(http2::Side::server, 12'000);
  send(socket,
       client.pull() + http2::raw_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block));
  expect_ended(socket);
}

TEST_F(Hostile, UnreadBytesOfManyCallsAreLimited) {
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{100'000, 90'000});
  start(options);
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  std::vector<http2::RecordingStreamPtr> streams;
  for (int i = 0; i < 5; ++i) {
    http2::HeaderBlock block;
    block.add_fixed(":method", "POST");
    block.add_fixed(":scheme", "http");
    block.add_fixed(":path", "/test.S/Echo");
    block.add_fixed(":authority", "x");
    block.add_fixed("content-type", "application/grpc");
    streams.emplace_back(new http2::RecordingStream());
    ASSERT_TRUE(client.session.request(*streams.back(), block));
    // A message of 1 MiB that never becomes complete.
    streams.back()->send(std::string("\0\0\x10\0\0", 5) + std::string(30'000, 'x'));
  }
  send(socket, client.pull());
  run_until([&] {
    char buffer[4096];
    error_code error;
    const auto count = socket.read_some(asio::buffer(buffer), error);
    if (count > 0) client.receive({buffer, count});
    send(socket, client.pull());
    for (const auto& stream : streams) {
      if (testing::Value(stream->log, testing::Contains("grpc-status: 8"))) return true;
    }
    return false;
  });
  expect_served();
}

struct RefusalCase {
  const char* name;
  std::vector<std::pair<const char*, const char*>> headers;
  const char* want;
  std::string_view body = {};
};

class Refusal : public Hostile, public testing::WithParamInterface<RefusalCase> {};

TEST_P(Refusal, IsAnswered) {
  start();
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  http2::HeaderBlock block;
  block.add_fixed(":scheme", "http");
  block.add_fixed(":authority", "x");
  for (const auto& [name, value] : GetParam().headers) block.add_fixed(name, value);
  const http2::RecordingStreamPtr stream(new http2::RecordingStream());
  ASSERT_TRUE(client.session.request(*stream, block));
  if (!GetParam().body.empty()) stream->send(std::string(GetParam().body));
  stream->end();
  run_until([&] {
    send(socket, client.pull());
    char buffer[4096];
    error_code error;
    const auto count = socket.read_some(asio::buffer(buffer), error);
    if (count > 0) client.receive({buffer, count});
    return !stream->is_open();
  });
  EXPECT_THAT(stream->log, testing::Contains(GetParam().want));
  expect_served();
}

const std::string long_path = "/" + std::string(20'000, 'a');
constexpr std::pair<const char*, const char*> post{":method", "POST"};
constexpr std::pair<const char*, const char*> path{":path", "/test.S/Echo"};
constexpr std::pair<const char*, const char*> type{"content-type", "application/grpc"};

INSTANTIATE_TEST_SUITE_P(
    Headers, Refusal,
    testing::Values(
        RefusalCase{"Get", {{":method", "GET"}, path, type}, ":status: 405"},
        RefusalCase{"NoContentType", {post, path}, ":status: 415"},
        RefusalCase{"Json", {post, path, {"content-type", "application/json"}}, ":status: 415"},
        RefusalCase{"LongPathOfAPage",
                    {post, {":path", long_path.c_str()}, {"content-type", "text/html"}},
                    ":status: 431"},
        RefusalCase{"MalformedPath", {post, {":path", "/x"}, type}, "grpc-status: 12"},
        RefusalCase{"Timeout", {post, path, type, {"grpc-timeout", "1x"}}, "grpc-status: 13"},
        RefusalCase{"PassedDeadline", {post, path, type, {"grpc-timeout", "0n"}}, "grpc-status: 4"},
        RefusalCase{"Compression",
                    {post, path, type, {"grpc-encoding", "gzip"}},
                    "grpc-accept-encoding: identity",
                    std::string_view("\1\0\0\0\2\x78\x9c", 7)},
        RefusalCase{"EncodingThatNoMessageUses",
                    {post, path, type, {"grpc-encoding", "gzip"}},
                    "grpc-status: 0",
                    std::string_view("\0\0\0\0\0", 5)},
        RefusalCase{"BinaryMetadata", {post, path, type, {"x-bin", "?"}}, "grpc-status: 13"},
        RefusalCase{"NoMessage",
                    {post, path, {"content-type", "application/grpc+dtm_raw"}},
                    "grpc-message: no message in the request of a unary call"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Hostile, ConnectionsOverTheLimitAreClosed) {
  GrpcServerOptions options;
  options.connections_max = 3;
  start(options);
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(connect());
  run_until([&] { return server->connection_count() == 3; });
  RawSocket refused = connect();
  run_until([&] { return ended(refused); });
  EXPECT_EQ(server->connection_count(), 3u);
  sockets.pop_back();
  run_until([&] { return server->connection_count() == 2; });
  expect_served();
}

TEST_F(Hostile, IdleConnectionMakesRoomForTheNextOne) {
  GrpcServerOptions options;
  options.sockets = std::make_shared<SocketBudget>(2);
  start(options);
  std::vector<RawSocket> idle;
  for (int i = 0; i < 2; ++i) idle.push_back(connect());
  run_until([&] { return server->connection_count() == 2; });
  RawSocket refused = connect();
  run_until([&] { return ended(refused) && server->connection_count() == 1; });
  EXPECT_EQ(options.sockets->used(), 1u);
  expect_served();
}

TEST_F(Hostile, AnIdleConnectionIsFoundAmongManyBusyOnes) {
  constexpr std::size_t busy_count = 140;
  GrpcServerOptions options;
  options.connections_max = busy_count + 1;
  start(options);
  Notifier never(executor());
  server->add_stream("/test.S/Deaf",
                     [&](GrpcServerStream& stream) { return wait_for_the_end(stream, never); });
  std::list<Attacker> busy;
  const auto be_busy_until = [&](std::size_t count) {
    while (busy.size() < count) {
      busy.emplace_back(connect());
      busy.back().open("/test.S/Deaf");
    }
    run_until([&] {
      for (Attacker& each : busy) each.exchange();
      return server->call_count() == count;
    });
  };
  be_busy_until(busy_count / 2);
  RawSocket idle = connect();
  run_until([&] { return server->connection_count() == busy_count / 2 + 1; });
  be_busy_until(busy_count);
  for (int i = 0; i < 2; ++i) {
    RawSocket refused = connect();
    run_until([&] { return ended(refused); });
  }
  run_until([&] { return ended(idle); });
  busy.clear();
  run_until([&] { return server->connection_count() == 0; });
  never.notify_all();
  run_until([&] { return server->call_count() == 0; });
}

TEST_F(Hostile, AnIdleConnectionOfAnotherServerMakesRoom) {
  GrpcServerOptions options;
  options.sockets = std::make_shared<SocketBudget>(4);
  Notifier never(executor());
  make_server(options).add_stream(
      "/test.S/Deaf", [&](GrpcServerStream& stream) { return wait_for_the_end(stream, never); });
  GrpcServer idle(executor(), timers, options);
  listener = std::make_unique<Listener>(executor(), timers,
                                        std::vector<ConnectionServer*>{server.get(), &idle});
  ASSERT_TRUE(listener->listen(address));
  address = listener->address();
  std::vector<RawSocket> sockets;
  for (std::size_t i = 1; i <= 4; ++i) {
    sockets.push_back(connect());
    run_until([&] { return options.sockets->used() == i; });
  }
  std::optional<Attacker> busy(std::move(sockets[0]));
  busy->open("/test.S/Deaf");
  run_until([&] { return busy->exchange(), server->call_count() == 1; });
  sockets[2].close();
  run_until([&] { return server->connection_count() == 1 && idle.connection_count() == 2; });
  options.sockets->set_max(3);
  RawSocket refused = connect();  // The busy server has fewer connections, so it gets this one.
  run_until([&] { return ended(refused) && idle.connection_count() == 1; });
  busy.reset();
  run_until([&] { return server->connection_count() == 0; });
  never.notify_all();
  run_until([&] { return server->call_count() == 0; });
  listener.reset();
  run(idle.drain(in(std::chrono::seconds(0))));
}

#if CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS
TEST_F(Hostile, ConnectionsWithoutADescriptorAreClosedAtOnce) {
  start();
  RawSocket waiting = connect();
  {
    const test::NoDescriptorLeft starved;
    run_until([&] { return ended(waiting); });
  }
  expect_served();
}
#endif

TEST_F(Hostile, ACallWithoutASocketSaysThatAllAreInUse) {
  start();
  GrpcChannelOptions options;
  options.sockets = std::make_shared<SocketBudget>(0);
  make_channel(options);
  const GrpcReply reply = call("/test.S/Echo", "x");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message,
              testing::HasSubstr("all 0 sockets for calls to services are in use"));
}

/// The test moves the server's clock.
class SlowPeer : public Hostile {
 protected:
  SlowPeer() {
    server = std::make_unique<GrpcServer>(executor(), fake_timers, options());
    server->add_unary("/test.S/Echo", echo);
    listen();
    make_channel();
  }
  void TearDown() override {
    listener.reset();
    run(server->drain(fake.steady_now()));
    server.reset();
  }

  static GrpcServerOptions options() {
    GrpcServerOptions result;
    result.idle_timeout = std::chrono::minutes(10);
    return result;
  }

  void pass(std::chrono::seconds time) {
    fake.advance(time);
    fake_timers.run_due();
  }

  test::FakeClock fake;
  Timers fake_timers{executor(), fake};
};

TEST_F(SlowPeer, ThatSaysNothingIsEnded) {
  RawSocket socket = connect();
  run_until([&] { return server->connection_count() == 1; });
  for (int rounds = 0; rounds < 10; ++rounds) io.poll_one();
  pass(20s);
  expect_ended(socket);
}

TEST_F(SlowPeer, ThatStopsInsideAFrameIsPingedAndEnded) {
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  send(socket, client.pull() + std::string("\0\0\x10", 3));
  run_until([&] { return socket.available() > 0; });
  for (int rounds = 0; rounds < 10; ++rounds) io.poll_one();
  pass(120s);
  EXPECT_FALSE(ended(socket));
  pass(20s);
  expect_ended(socket);
}

TEST_F(SlowPeer, WithoutCallsIsDisconnected) {
  expect_served();
  EXPECT_EQ(server->connection_count(), 1u);
  for (int minutes = 0; minutes < 10; ++minutes) {
    pass(60s);
    for (int rounds = 0; rounds < 20; ++rounds) io.poll_one();
  }
  run_until([&] { return server->connection_count() == 0; });
  expect_served();
}

TEST_F(SlowPeer, WhoseRequestDoesNotArriveGetsDeadlineExceeded) {
  Attacker slow(connect());
  const std::string begin("\0\0\x0f\0\0", 5);
  slow.open("/test.S/Echo").send(begin + "xxx");
  slow.open("/test.S/Echo");
  const auto exchange = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      slow.exchange();
      io.restart();
      io.poll();
    }
  };
  exchange(50);
  pass(29s);
  exchange(50);
  EXPECT_EQ(slow.answers("grpc-status: 4"), 0u);
  pass(10s);  // the limit is 30 s, and at most a quarter more
  exchange(50);
  EXPECT_EQ(slow.answers("grpc-status: 4"), 2u);
  EXPECT_FALSE(slow.has_ended());
  expect_served();
}

TEST_F(SlowPeer, WhoseHeaderBlockDoesNotEndIsEnded) {
  http2::End client{http2::Side::client};
  RawSocket socket = connect();
  // A HEADERS frame without END_HEADERS: no other frame may precede its continuation.
  const std::string part("\0\x07:method\x04POST", 14);
  send(socket, client.pull() + http2::raw_frame(NGHTTP2_HEADERS, 0, 1, part));
  run_until([&] { return socket.available() > 0; });
  for (int rounds = 0; rounds < 20; ++rounds) io.poll_one();
  pass(40s);
  expect_ended(socket);
}

}  // namespace
}  // namespace concerto::net
