// How a server ends connections: clients that do not answer, and clients that are still writing.

#include <boost/asio/error.hpp>

#include "hostile_fixture.hpp"
#include "http2/connection.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

class Drain : public Hostile {
 protected:
  static GrpcServerOptions options() {
    GrpcServerOptions result;
    result.idle_timeout = 1min;
    result.keepalive_timeout = 20s;
    return result;
  }

  /// Runs the shard until the server has read what the client has sent.
  void let_server_read(RawSocket& socket) {
    run_until([&] { return socket.available() > 0; });
    for (int rounds = 0; rounds < 20; ++rounds) io.poll();
    io.restart();
  }

  /// A client that makes its part of the handshake and answers nothing from then on.
  RawSocket connect_mute() {
    http2::End end{http2::Side::client};
    RawSocket socket = connect();
    send(socket, end.pull());
    let_server_read(socket);
    return socket;
  }

  Task<void> stop(bool& stopped) {
    co_await server->drain(in(24h));
    stopped = true;
  }

  /// The error with which reading ends when the server has closed: eof or a reset.
  static error_code end_of(RawSocket& socket) {
    char buffer[4096];
    error_code error;
    while (!error) socket.read_some(asio::buffer(buffer), error);
    return error;
  }
};

TEST_F(Drain, AnIdleClientThatAnswersNoPingIsEnded) {
  start(options());
  RawSocket mute = connect_mute();
  pass(1min);
  EXPECT_FALSE(ended(mute));
  pass(http2::Connection::drain_patience);
  run_until([&] { return ended(mute); });
  mute.close();
  run_until([&] { return server->connection_count() == 0; });
}

TEST_F(Drain, AStopDoesNotWaitForAnIdleClientThatAnswersNoPing) {
  start();
  RawSocket mute = connect_mute();
  bool stopped = false;
  TaskGroup group(executor());
  group.spawn(stop(stopped));
  io.poll();
  io.restart();
  EXPECT_FALSE(ended(mute));
  pass(http2::Connection::drain_patience);
  run_until([&] { return ended(mute); });
  mute.close();
  run_until([&] { return stopped && group.size() == 0; });
}

TEST_F(Drain, AStopDoesNotWaitForAClientThatNeverCloses) {
  start();
  RawSocket mute = connect_mute();
  bool stopped = false;
  TaskGroup group(executor());
  group.spawn(stop(stopped));
  io.poll();
  io.restart();
  pass(http2::Connection::drain_patience);
  run_until([&] { return ended(mute); });
  pass(Linger::quiet_max_when_draining);
  run_until([&] { return stopped && group.size() == 0; });
}

TEST_F(Drain, AClientWithACallHasTheKeepaliveTimeoutForTheAnswer) {
  start(options());
  Notifier end(executor());
  server->add_stream("/test.S/Deaf",
                     [&](GrpcServerStream& stream) { return wait_for_the_end(stream, end); });
  Attacker mute(connect());
  mute.open("/test.S/Deaf");
  run_until([&] {
    mute.exchange();
    return server->call_count() == 1;
  });
  for (int rounds = 0; rounds < 20; ++rounds) io.poll();
  bool stopped = false;
  TaskGroup group(executor());
  group.spawn(stop(stopped));
  io.restart();
  io.poll();
  io.restart();
  pass(http2::Connection::drain_patience);
  io.poll();
  io.restart();
  EXPECT_EQ(server->connection_count(), 1u);
  pass(20s);
  run_until([&] {
    end.notify_all();
    mute.exchange();
    return mute.has_ended() && server->call_count() == 0;
  });
  pass(Linger::quiet_max_when_draining);
  run_until([&] { return stopped && group.size() == 0; });
}

TEST_F(Drain, AClientThatIsWritingCanReadTheLastFrames) {
  start();
  RawSocket writer = connect();
  http2::End end{http2::Side::client};
  const std::string bad_frame = http2::raw_frame(NGHTTP2_SETTINGS, 0, 1, "on a stream");
  // This is more than the server reads at a time.
  send(writer, end.pull() + bad_frame + std::string(1u << 20, 'x'));
  error_code error = asio::error::would_block;
  run_until([&] {
    error = end_of(writer);
    return error != asio::error::would_block;
  });
  EXPECT_EQ(error, asio::error::eof) << error.message();
}

}  // namespace
}  // namespace concerto::net
