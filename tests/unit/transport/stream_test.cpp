#include <string>

#include "grpc_fixture.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

/// Returns every message.
Task<GrpcStatus> echo_stream(GrpcServerStream& stream) {
  stream.trailers().add("x-end", "yes");
  while (auto message = co_await stream.read()) {
    if (!co_await stream.write(std::move(*message))) break;
  }
  co_return GrpcStatus{};
}

class Streaming : public GrpcTest {
 protected:
  Streaming() {
    make_server();
    server->add_stream("/test.S/Echo", echo_stream);
    server->add_stream("/test.S/Count", [](GrpcServerStream& stream) { return count(stream); });
    server->add_stream("/test.S/Flood", [this](GrpcServerStream& stream) { return flood(stream); });
    server->add_stream("/test.S/Wait", [this](GrpcServerStream& stream) { return wait(stream); });
    listen();
    make_channel();
  }

  std::unique_ptr<GrpcClientStream> open(const char* method,
                                         SteadyTime deadline = SteadyTime::max()) {
    return channel->open_stream(method, {}, deadline);
  }

  /// Reads the number of messages to send.
  static Task<GrpcStatus> count(GrpcServerStream& stream) {
    const auto wanted = co_await stream.read();
    const int last = wanted ? std::stoi(*wanted) : 0;
    for (int i = 1; i <= last; ++i) {
      std::string message = std::to_string(i);
      if (!co_await stream.write(std::move(message))) break;
    }
    co_return GrpcStatus{GrpcCode::out_of_range, "enough"};
  }

  /// Writes until the stream ends.
  Task<GrpcStatus> flood(GrpcServerStream& stream) {
    for (;;) {
      std::string message(10'000, 'x');
      if (!co_await stream.write(std::move(message))) break;
      ++flooded;
    }
    ++ended;
    co_return GrpcStatus{};
  }

  /// Waits for a message that never comes.
  Task<GrpcStatus> wait(GrpcServerStream& stream) {
    stream.on_cancelled([this] { ++cancelled; });
    co_await stream.read();
    saw_cancelled = stream.cancelled();
    ++ended;
    co_return GrpcStatus{};
  }

  int flooded = 0;
  int cancelled = 0;
  int ended = 0;
  bool saw_cancelled = false;
};

Task<void> ping_pong(GrpcClientStream& stream) {
  for (int i = 0; i < 100; ++i) {
    const std::string sent(static_cast<std::size_t>(i * 50), 'a');
    EXPECT_TRUE(co_await stream.write(sent));
    const auto got = co_await stream.read();
    EXPECT_EQ(got, sent);
  }
  stream.writes_done();
  EXPECT_EQ(co_await stream.read(), std::nullopt);
}

TEST_F(Streaming, CarriesMessagesBothWays) {
  const auto stream = open("/test.S/Echo");
  run(ping_pong(*stream));
  const GrpcReply end = run(stream->finish());
  EXPECT_TRUE(end.ok()) << describe(end.status);
  EXPECT_EQ(end.trailers.find("x-end"), "yes");
}

Task<int> read_all(GrpcClientStream& stream) {
  co_await stream.write("1000");
  stream.writes_done();
  int count = 0;
  while (auto message = co_await stream.read()) {
    EXPECT_EQ(*message, std::to_string(++count));
  }
  co_return count;
}

TEST_F(Streaming, CarriesAServersStreamAndItsStatus) {
  const auto stream = open("/test.S/Count");
  EXPECT_EQ(run(read_all(*stream)), 1000);
  const GrpcReply end = run(stream->finish());
  EXPECT_EQ(end.status.code, GrpcCode::out_of_range);
  EXPECT_EQ(end.status.message, "enough");
}

TEST_F(Streaming, SuspendsAWriterWhoseReaderIsSlow) {
  const auto stream = open("/test.S/Flood");
  run(stream->write(""));
  // The writer gets this far because of windows of 1 MiB and of the bytes that a call queues ahead.
  run_until([&] { return flooded >= 100; });
  for (int rounds = 0; rounds < 1000; ++rounds) io.poll_one();
  EXPECT_LE(flooded, 130);
  EXPECT_EQ(run(stream->read()), std::string(10'000, 'x'));
  stream->cancel();
  run_until([&] { return ended == 1; });
}

TEST_F(Streaming, TellsTheHandlerThatTheClientCancelled) {
  const auto stream = open("/test.S/Wait");
  run_until([&] { return server->call_count() == 1; });
  stream->cancel();
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::cancelled);
  run_until([&] { return ended == 1; });
  EXPECT_EQ(cancelled, 1);
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Streaming, TellsTheHandlerThatTheConnectionIsLost) {
  const auto stream = open("/test.S/Wait");
  run_until([&] { return server->call_count() == 1; });
  channel->close();
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::unavailable);
  run_until([&] { return ended == 1; });
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Streaming, EndsAtItsDeadline) {
  const auto stream = open("/test.S/Wait", in(1h));
  run_until([&] { return server->call_count() == 1; });
  pass(1h);
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::deadline_exceeded);
  run_until([&] { return ended == 1; });
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Streaming, DroppingTheHandleCancels) {
  auto stream = open("/test.S/Wait");
  run_until([&] { return server->call_count() == 1; });
  stream.reset();
  run_until([&] { return ended == 1; });
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Streaming, WritesFailAfterTheEnd) {
  const auto stream = open("/test.S/Nothing");
  EXPECT_EQ(run(stream->read()), std::nullopt);
  EXPECT_FALSE(run(stream->write("late")));
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::unimplemented);
}

TEST_F(Streaming, CancellingAWaitingReaderReleasesIt) {
  const auto stream = open("/test.S/Wait");
  TaskGroup group(executor());
  bool ran = false;
  struct Reader {
    static Task<void> read(GrpcClientStream& from, bool& done) {
      EXPECT_EQ(co_await from.read(), std::nullopt);
      done = true;
    }
  };
  group.spawn(Reader::read(*stream, ran));
  run_until([&] { return server->call_count() == 1; });
  run(group.close());
  EXPECT_TRUE(ran);
}

TEST_F(Streaming, ServerShutdownEndsOpenStreamsAtItsDeadline) {
  const auto stream = open("/test.S/Wait");
  run_until([&] { return server->call_count() == 1; });
  stop_server(10ms);
  const GrpcReply end = run(stream->finish());
  EXPECT_EQ(end.status.code, GrpcCode::unavailable);
  EXPECT_EQ(end.status.message, "the server is shutting down");
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace concerto::net
