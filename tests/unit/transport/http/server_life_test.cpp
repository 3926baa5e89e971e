#include <gmock/gmock.h>

#include "no_descriptor_left.hpp"
#include "sanitizers.hpp"
#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerLife : public ServerTest {};

TEST_F(HttpServerLife, ADestroyedServerEndsWhatRuns) {
  serve();
  connect().send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  connect();
  run_until([&] { return waiting_ == 1 && server_->connection_count() == 2; });
  listener_->close();
  server_.reset();
  EXPECT_EQ(waited_, 1);
}

TEST_F(HttpServerLife, CutsSlowHeaders) {
  serve();
  RawPeer& silent = connect();
  RawPeer& slow = connect();
  slow.send("GET /hello HT");
  run_until([&] { return server_->connection_count() == 2; });
  poll();
  for (int i = 0; i < 9; ++i) {
    advance(seconds{1});
    slow.send("T");
    poll();
  }
  EXPECT_FALSE(slow.saw_end());
  advance(milliseconds{1001});
  run_until([&] { return slow.saw_end() && silent.saw_end(); });
  EXPECT_EQ(slow.received(), "");
  run_until([&] { return server_->connection_count() == 0; });
  EXPECT_EQ(server_->probe().timed_out_count.load(), 2U);
}

TEST_F(HttpServerLife, CutsSlowBodiesAndIdleConnections) {
  serve();
  RawPeer& slow = connect();
  slow.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo");
  RawPeer& idle = connect();
  idle.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(idle, "hello you");
  poll();
  advance(seconds{29});
  poll();
  EXPECT_FALSE(slow.saw_end());
  advance(seconds{2});
  run_until([&] { return slow.saw_end(); });
  EXPECT_FALSE(idle.saw_end());
  advance(seconds{90});
  run_until([&] { return idle.saw_end(); });
}

TEST_F(HttpServerLife, NeverCutsAHandlerThatTakesLong) {
  serve();
  RawPeer& peer = connect();
  peer.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1; });
  advance(std::chrono::hours{1});
  poll();
  released_.notify_all();
  run_until_received(peer, "waited 1");
}

TEST_F(HttpServerLife, FinishesTheHandlerOfAClientThatLeft) {
  serve();
  for (const bool by_reset : {false, true}) {
    RawPeer& peer = connect();
    const int before = waiting_;
    peer.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    run_until([&] { return waiting_ == before + 1; });
    by_reset ? peer.reset() : peer.close();
    poll();
    EXPECT_EQ(waited_, before);
    released_.notify_all();
    run_until([&] { return waited_ == before + 1; });
    run_until([&] { return server_->connection_count() == 0; });
  }
}

TEST_F(HttpServerLife, SurvivesAClientThatLeavesMidRequest) {
  serve();
  for (const char* part :
       {"", "GET /he", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"}) {
    RawPeer& peer = connect();
    peer.send(part);
    run_until([&] { return server_->connection_count() == 1; });
    poll();
    peer.reset();
    run_until([&] { return server_->connection_count() == 0; });
  }
  EXPECT_EQ(server_->probe().request_count.load(), 0U);
}

TEST_F(HttpServerLife, RefusesConnectionsBeyondTheLimit) {
  HttpServerOptions options;
  options.connections_max = 2;
  serve(options);
  connect(), connect();
  run_until([&] { return server_->connection_count() == 2; });
  RawPeer& third = connect();
  run_until([&] { return third.saw_end(); });
  EXPECT_THAT(third.received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(third.received(), EndsWith("{\"message\":\"too many connections\"}"));
  peers_[0]->close();
  run_until([&] { return server_->connection_count() == 1; });
  RawPeer& fourth = connect();
  fourth.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(fourth, "hello you");
}

#if CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS
TEST_F(HttpServerLife, AnswersAtOnceWhenNoDescriptorIsLeft) {
  std::vector<std::string> said;
  DescriptorShortage shortage{clock_, [&](const std::string& text) { said.push_back(text); }};
  serve({}, &shortage);
  for (int i = 0; i < 3; ++i) connect();
  {
    const concerto::test::NoDescriptorLeft starved;
    for (auto& peer : peers_) {
      run_until([&] { return peer->saw_end(); });
      EXPECT_THAT(peer->received(), StartsWith("HTTP/1.1 503 "));
    }
  }
  EXPECT_EQ(shortage.refused(), 3U);
  EXPECT_TRUE(shortage.is_recent());
  ASSERT_EQ(said.size(), 1U);  // There is not a line for each connection.
  EXPECT_THAT(said[0], StartsWith("no file descriptor is free"));
  advance(std::chrono::seconds(11));
  EXPECT_FALSE(shortage.is_recent());
  RawPeer& later = connect();
  later.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until_received(later, "hello you");
}
#endif

TEST_F(HttpServerLife, SpeaksHttp10) {
  serve();
  RawPeer& once = connect();
  once.send("GET /hello HTTP/1.0\r\n\r\n");
  run_until([&] { return once.saw_end(); });
  EXPECT_THAT(once.received(), HasSubstr("Connection: close\r\n"));
  RawPeer& stays = connect();
  stays.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  run_until_received(stays, "hello you");
  EXPECT_THAT(stays.received(), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(HttpServerLife, DeliversAnswersLargerThanTheSocketTakes) {
  const std::string large(20 << 20, 'x');
  router_.add("GET", "/large", [&](HttpRequest request) {
    request.body = large;
    return echo(std::move(request));
  });
  serve();
  RawPeer& peer = connect();
  peer.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_TRUE(peer.received().ends_with(large));
}

TEST_F(HttpServerLife, CutsAClientThatDoesNotReadItsAnswer) {
  router_.add("GET", "/large", [&](HttpRequest request) {
    request.body.assign(32 << 20, 'x');
    return echo(std::move(request));
  });
  serve();
  TestSocket silent{executor()};
  silent.connect(listener_->address());
  asio::write(silent, asio::buffer(std::string_view{"GET /large HTTP/1.1\r\nHost: h\r\n\r\n"}));
  run_until([&] { return server_->probe().request_count.load() == 1; });
  poll();
  EXPECT_EQ(server_->connection_count(), 1U);
  advance(seconds{30});
  run_until([&] { return server_->connection_count() == 0; });
}

TEST_F(HttpServerLife, NeverSendsIllegalHeaderFields) {
  router_.add("GET", "/split",
              [&](HttpRequest request) -> Task<HttpResponse> { return split(std::move(request)); });
  serve();
  RawPeer& peer = connect();
  peer.send("GET /split HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(peer.received(), Not(HasSubstr("Evil")));
}

TEST_F(HttpServerLife, DrainClosesIdleConnectionsAndAnswersTheRest) {
  serve();
  RawPeer& idle = connect();
  RawPeer& busy = connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1 && server_->connection_count() == 2; });
  bool drained = false;
  asio::co_spawn(io_, server_->drain(timers_.now() + seconds{5}),
                 [&](const std::exception_ptr&) { drained = true; });
  run_until([&] { return idle.saw_end(); });
  EXPECT_FALSE(drained);
  RawPeer& late = connect();
  run_until([&] { return late.saw_end(); });
  EXPECT_THAT(late.received(), StartsWith("HTTP/1.1 503 "));
  released_.notify_all();
  run_until([&] { return drained; });
  run_until([&] { return busy.saw_end(); });
  EXPECT_THAT(busy.received(), EndsWith("waited 1"));
  EXPECT_THAT(busy.received(), HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerLife, DrainCancelsRunningRequestsAtItsDeadline) {
  serve();
  RawPeer& busy = connect();
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return waiting_ == 1; });
  bool drained = false;
  asio::co_spawn(io_, server_->drain(timers_.now() + seconds{5}),
                 [&](const std::exception_ptr&) { drained = true; });
  poll();
  EXPECT_FALSE(drained);
  advance(seconds{5});
  run_until([&] { return drained && busy.saw_end(); });
  EXPECT_EQ(busy.received(), "");
}

TEST_F(HttpServerLife, SpreadsConnectionsOverItsServers) {
  HttpServer first{executor(), timers_, router_.handler()};
  HttpServer second{executor(), timers_, router_.handler()};
  Listener listener{executor(), timers_, {&first, &second}};
  ASSERT_TRUE(listener.listen(loopback()));
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 6; ++i) {
    peers.push_back(std::make_unique<RawPeer>(executor()));
    peers.back()->connect(listener.address());
  }
  run_until([&] { return first.connection_count() == 3 && second.connection_count() == 3; });
  listener.close();
  await(first.drain(timers_.now()));
  await(second.drain(timers_.now()));
}

TEST_F(HttpServerLife, SaysWhereItCannotListen) {
  serve();
  Listener other{executor(), timers_, {server_.get()}};
  const auto started = other.listen(listener_->address());
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().detail, StartsWith("cannot listen on 127.0.0.1:"));
}

}  // namespace
}  // namespace concerto::net::test
