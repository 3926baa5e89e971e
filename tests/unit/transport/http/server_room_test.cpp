// Which connections and requests give way when a server has no room for new ones.
#include <gmock/gmock.h>

#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HttpServerRoom : public ServerTest {};

TEST_F(HttpServerRoom, IdleConnectionMakesRoomForTheNextOne) {
  HttpServerOptions options;
  options.sockets = std::make_shared<SocketBudget>(2);
  serve(options);
  for (int i = 0; i < 2; ++i) {
    RawPeer& idle = connect();
    idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    run_until_received(idle, "hello you");
  }
  RawPeer& refused = connect();
  run_until([&] { return refused.saw_end() && server_->connection_count() == 1; });
  EXPECT_THAT(refused.received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(options.sockets->used(), 1U);
  RawPeer& taken = connect();
  taken.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(taken, "hello you");
  // The connection that was idle for the longest time was closed instead.
  EXPECT_FALSE(peers_[1]->saw_end());
}

TEST_F(HttpServerRoom, AnIdleConnectionIsFoundBehindManyBusyOnes) {
  constexpr int busy_count = 100;
  HttpServerOptions options;
  options.connections_max = busy_count + 1;
  serve(options);
  for (int i = 0; i < busy_count; ++i) connect().send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == busy_count; });
  RawPeer& idle = connect();
  idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(idle, "hello you");
  for (int i = 0; i < 2; ++i) {
    RawPeer& refused = connect();
    run_until([&] { return refused.saw_end(); });
  }
  run_until([&] { return idle.saw_end(); });
}

TEST_F(HttpServerRoom, ASlowHeaderMakesRoomBeforeAnIdleConnection) {
  HttpServerOptions options;
  options.sockets = std::make_shared<SocketBudget>(2);
  serve(options);
  RawPeer& idle = connect();
  idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(idle, "hello you");
  RawPeer& slow = connect();
  slow.send("GET /hello HTTP/1.1\r\nX: ");
  run_until([&] { return server_->connection_count() == 2; });
  poll();
  advance(std::chrono::milliseconds{1'001});
  RawPeer& refused = connect();
  run_until([&] { return refused.saw_end() && server_->connection_count() == 1; });
  EXPECT_TRUE(slow.saw_end());
  EXPECT_FALSE(idle.saw_end());
}

TEST_F(HttpServerRoom, ABurstOfConnectionsLeavesClientsThatAreServedAlone) {
  HttpServerOptions options;
  options.connections_max = 10;
  serve(options);
  RawPeer& served = connect();
  served.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(served, "hello you");
  for (int i = 0; i < 30; ++i) {
    RawPeer& other = connect();
    if (i % 2 == 0) other.send("GET /hello HTTP/1.1\r\nX: ");
    poll();
  }
  EXPECT_FALSE(served.saw_end());
  served.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until(
      [&] { return served.received().rfind("hello you") != served.received().find("hello you"); });
}

TEST_F(HttpServerRoom, TheLargestUnfinishedBodyMakesRoomForNewRequests) {
  HttpServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{550'000, 500'000});
  serve(options);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 250000\r\n\r\n";
  RawPeer& hoarder = connect();
  hoarder.send(head + std::string(200'000, 'x'));
  RawPeer& newcomer = connect();
  run_until([&] { return options.buffers->used_bytes() > 200'000; });
  newcomer.send(head);
  for (int i = 0; i < 25 && !newcomer.saw_end(); ++i) {
    newcomer.send(std::string(10'000, 'y'));
    poll();
    EXPECT_LE(options.buffers->used_bytes(), 550'000U);
  }
  run_until_received(newcomer, "HTTP/1.1 200 OK");
  run_until_received(hoarder, "HTTP/1.1 503 ");
  EXPECT_THAT(hoarder.received(), HasSubstr("Retry-After: 1"));
  EXPECT_THAT(hoarder.received(), HasSubstr("too many bytes are being received"));
  hoarder.close(), newcomer.close();
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerRoom, ARequestThatMadeRoomIsRefusedEvenIfItsLastBytesWereRead) {
  HttpServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{105'000, 105'000});
  serve(options);
  const auto post = [](std::size_t bytes) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n\r\n" + std::string(bytes, 'x');
  };
  RawPeer& larger = connect();
  RawPeer& smaller = connect();
  run_until([&] { return server_->connection_count() == 2; });
  poll();
  // Both requests are read in turns, and each read is four times as large as the one before. When
  // the third read of the smaller request exceeds the budget, the fourth read of the larger request
  // has got its last bytes and waits for its turn.
  larger.send(post(40'000));
  smaller.send(post(39'000));
  run_until_received(larger, "HTTP/1.1 ");
  EXPECT_THAT(larger.received(), StartsWith("HTTP/1.1 503 "));
  run_until_received(smaller, "HTTP/1.1 200 OK");
}

TEST_F(HttpServerRoom, AnIdleConnectionOfAnotherServerMakesRoom) {
  HttpServerOptions options;
  options.sockets = std::make_shared<SocketBudget>(4);
  HttpServer busy{executor(), timers_, router_.handler(), options};
  HttpServer idle{executor(), timers_, router_.handler(), options};
  Listener listener{executor(), timers_, {&busy, &idle}};
  ASSERT_TRUE(listener.listen(loopback()));
  std::vector<std::unique_ptr<RawPeer>> peers;
  const auto connect_next = [&] {
    peers.push_back(std::make_unique<RawPeer>(executor()));
    peers.back()->connect(listener.address());
  };
  for (std::size_t i = 1; i <= 4; ++i) {
    connect_next();
    run_until([&] { return options.sockets->used() == i; });
  }
  peers[0]->send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1; });
  peers[2]->close();
  run_until([&] { return busy.connection_count() == 1 && idle.connection_count() == 2; });
  options.sockets->set_max(3);
  connect_next();  // The busy server has fewer connections, so it gets this one.
  run_until([&] { return idle.connection_count() == 1 && peers[1]->saw_end(); });
  release_all_ = true;
  released_.notify_all();
  listener.close();
  await(busy.drain(timers_.now()));
  await(idle.drain(timers_.now()));
}

}  // namespace
}  // namespace concerto::net::test
