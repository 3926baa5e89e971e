#include <gmock/gmock.h>

#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// The pool of a client: which connections it keeps, reuses and waits for.
class HttpClientPool : public ClientTest {};

TEST_F(HttpClientPool, ReusesItsConnection) {
  serve();
  for (int i = 0; i < 3; ++i) {
    const auto answer = get(server_url("/hello?name=x"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->body, "hello x");
    EXPECT_EQ(answer->headers.find("content-type"), "text/plain");
  }
  EXPECT_EQ(server_->probe().accepted_count.load(), 1U);
  EXPECT_EQ(client_->connection_count(), 1U);
  EXPECT_EQ(client_->idle_connection_count(), 1U);
}

TEST_F(HttpClientPool, OpensAFreshConnectionWhenThePooledOneIsClosed) {
  ScriptedServer server{executor()};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto answer = ask(server, i);
    server[i].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(finish(answer));
    EXPECT_EQ(client_->idle_connection_count(), 1U);
    i % 2 ? server[i].close() : server[i].reset();
    poll();
  }
  EXPECT_EQ(server.size(), 3U);
}

TEST_F(HttpClientPool, NeverRepeatsARequestThatWasSent) {
  ScriptedServer server{executor()};
  auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(answer));
  server[0].forget_received();
  answer = ask(server, 0);
  server[0].close();
  EXPECT_EQ(finish(answer).error().code, HttpErrc::connection_lost);
  EXPECT_EQ(server.size(), 1U);
}

TEST_F(HttpClientPool, DropsAConnectionWithUnexpectedBytes) {
  ScriptedServer server{executor()};
  auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(answer));
  server[0].send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  poll();
  answer = ask(server, 1);
  server[1].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(finish(answer));
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientPool, ClosesIdleConnectionsAfterATime) {
  serve();
  EXPECT_TRUE(get(server_url("/hello")));
  advance(seconds{89});
  EXPECT_EQ(client_->idle_connection_count(), 1U);
  EXPECT_TRUE(get(server_url("/hello")));
  advance(seconds{89});
  EXPECT_EQ(client_->idle_connection_count(), 1U);
  advance(seconds{1});
  EXPECT_EQ(client_->idle_connection_count(), 0U);
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientPool, WaitsInOrderForAConnectionWhenAllAreInUse) {
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  make_client(options);
  ScriptedServer server{executor()};
  const auto first = ask(server, 0);
  const auto second = start_get(server.url("/second"));
  const auto third = start_get(server.url("/third"));
  poll();
  EXPECT_FALSE(server[0].has("/second"));
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return server[0].has("/second"); });
  server[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  run_until([&] { return server.size() == 2 && server[1].has("/third"); });
  server[1].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(first));
  EXPECT_TRUE(finish(second));
  EXPECT_TRUE(finish(third));
  EXPECT_EQ(client_->connection_count(), 1U);
}

TEST_F(HttpClientPool, GivesUpWaitingForAConnectionAtTheDeadline) {
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  make_client(options);
  ScriptedServer server{executor()};
  const auto first = ask(server, 0);
  const auto second = start_get(server.url("/second"));
  poll();
  advance(seconds{3});
  EXPECT_EQ(finish(second).error().code, HttpErrc::timed_out_unsent);
  EXPECT_EQ(finish(first).error().code, HttpErrc::timed_out);
  EXPECT_EQ(client_->connection_count(), 0U);
}

TEST_F(HttpClientPool, HostsThatDoNotAnswerMakeRoomForOthers) {
  HttpClientOptions options;
  options.connections_max = 4;
  options.connections_per_host_max = 2;
  make_client(options);
  ScriptedServer one{executor()}, two{executor()}, good{executor()};
  std::vector<std::shared_ptr<std::optional<Answer>>> silent;
  for (ScriptedServer* server : {&one, &two}) {
    for (std::size_t i = 0; i < 2; ++i) silent.push_back(ask(*server, i));
    for (int i = 0; i < 3; ++i) silent.push_back(start_get(server->url("/waits")));
  }
  poll();
  advance(milliseconds{500});
  const auto answer = start_get(good.url("/a"));
  poll();
  EXPECT_EQ(good.size(), 0U);
  advance(milliseconds{800});
  run_until([&] { return good.size() == 1 && good[0].has("\r\n\r\n"); });
  good[0].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(answer));
  std::size_t ended = 0;
  for (const auto& call : silent) {
    if (!call->has_value()) continue;
    ++ended;
    EXPECT_EQ((*call)->error().code, HttpErrc::connection_lost);
    EXPECT_THAT((*call)->error().detail, HasSubstr("to make room for calls to other services"));
  }
  EXPECT_EQ(ended, 1U);
}

TEST_F(HttpClientPool, SharesTheTotalBetweenHosts) {
  HttpClientOptions options;
  options.connections_max = 2;
  make_client(options);
  ScriptedServer one{executor()}, two{executor()}, three{executor()};
  const auto answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const auto first = ask(one, 0);
  const auto second = ask(two, 0);
  const auto third = start_get(three.url("/a"));
  poll();
  EXPECT_EQ(three.size(), 0U);
  one[0].send(answer);  // The connection is closed, because another host waits for a place.
  run_until([&] { return three.size() == 1 && three[0].has("\r\n\r\n") && one[0].saw_end(); });
  two[0].send(answer);
  three[0].send(answer);
  EXPECT_TRUE(finish(first));
  EXPECT_TRUE(finish(second));
  EXPECT_TRUE(finish(third));
  EXPECT_EQ(client_->idle_connection_count(), 2U);
  // The connection that has been idle for the longest time is closed.
  const auto fourth = ask(one, 1);
  run_until([&] { return two[0].saw_end(); });
  one[1].send(answer);
  EXPECT_TRUE(finish(fourth));
  EXPECT_EQ(client_->connection_count(), 2U);
}

}  // namespace
}  // namespace concerto::net::test
