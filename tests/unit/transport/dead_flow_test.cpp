// A connection that looks alive but delivers nothing: its peer has gone without closing it, or a
// middlebox has forgotten the flow. New connections to the same address work.

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/write.hpp>

#include "fake_clock.hpp"
#include "grpc_fixture.hpp"
#include "session_pair.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

/// A server whose connections behave as the test says, and a channel whose clock the test moves.
class DeadFlow : public GrpcShardTest {
 protected:
  enum class Life { answers, answers_pings, swallows };

  struct Flow {
    explicit Flow(asio::basic_stream_socket<asio::ip::tcp, Executor> connected)
        : socket(std::move(connected)) {}
    asio::basic_stream_socket<asio::ip::tcp, Executor> socket;
    http2::End end{http2::Side::server};
    std::size_t answered = 0;
    Life life = Life::answers;
  };

  DeadFlow() : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {
    accept();
    addresses = std::make_unique<StaticAddresses>(std::vector<Address>{acceptor.local_endpoint()});
    channel = std::make_unique<GrpcChannel>(executor(), fake_timers, random, *addresses);
  }

  void accept() {
    acceptor.async_accept([this](const error_code& error, auto socket) {
      if (error) return;
      socket.non_blocking(true);
      flows.push_back(std::make_unique<Flow>(std::move(socket)));
      accept();
    });
  }

  void serve() {
    for (const auto& flow : flows) {
      if (flow->life != Life::swallows) serve(*flow);
    }
  }

  void serve(Flow& flow) {
    char buffer[4096];
    error_code error;
    const std::size_t count = flow.socket.read_some(asio::buffer(buffer), error);
    if (count > 0) flow.end.receive({buffer, count});
    while (flow.life == Life::answers && flow.answered < flow.end.requests.size()) {
      const auto request = flow.end.requests[flow.answered++];
      if (!request->is_open()) continue;
      request->respond();
      request->send(std::string("\0\0\0\0\x02ok", 7));
      request->end();
    }
    const std::string bytes = flow.end.pull();
    if (!bytes.empty()) asio::write(flow.socket, asio::buffer(bytes), error);
  }

  void settle() {
    for (int rounds = 0; rounds < 50; ++rounds) {
      serve();
      io.poll();
      io.restart();
    }
  }

  /// Makes a call with a time limit of 3 s. If it gets no answer, the test's clock moves past the
  /// limit.
  GrpcReply call() {
    GrpcReply reply;
    bool done = false;
    calls.spawn(keep(reply, done));
    settle();
    if (!done) pass(3s);
    run_until([&] {
      serve();
      return done;
    });
    settle();
    return reply;
  }

  Task<void> keep(GrpcReply& reply, bool& done) {
    GrpcMetadata metadata;
    reply = co_await channel->unary("/s/m", "", metadata, fake.steady_now() + 3s);
    done = true;
  }

  void pass(std::chrono::seconds time) {
    fake.advance(time);
    fake_timers.run_due();
    settle();
  }

  test::FakeClock fake;
  Timers fake_timers{executor(), fake};
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
  std::vector<std::unique_ptr<Flow>> flows;
  std::unique_ptr<StaticAddresses> addresses;
  std::unique_ptr<GrpcChannel> channel;
  TaskGroup calls{executor()};
};

TEST_F(DeadFlow, FailsOneCallAndIsReplacedByANewConnection) {
  EXPECT_TRUE(call().ok());
  fake.advance(1s);
  flows[0]->life = Life::swallows;
  EXPECT_EQ(call().status.code, GrpcCode::deadline_exceeded);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(call().ok());
  EXPECT_EQ(flows.size(), 2u);
  EXPECT_EQ(channel->connection_count(), 2u);
  pass(20s);  // The PING is not answered yet.
  EXPECT_EQ(channel->connection_count(), 1u);
}

TEST_F(DeadFlow, IsUsedAgainWhenItComesBack) {
  EXPECT_TRUE(call().ok());
  fake.advance(1s);
  flows[0]->life = Life::answers_pings;
  EXPECT_EQ(call().status.code, GrpcCode::deadline_exceeded);
  flows[0]->life = Life::answers;
  fake.advance(1s);
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(flows.size(), 1u);
  pass(20s);
  EXPECT_EQ(channel->connection_count(), 1u);
}

/// gRPC servers would end a connection with more PINGs.
TEST_F(DeadFlow, IsReplacedWithoutMorePingsIfOnlyPingsAreAnswered) {
  EXPECT_TRUE(call().ok());
  fake.advance(1s);
  flows[0]->life = Life::answers_pings;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(call().status.code, GrpcCode::deadline_exceeded);
    EXPECT_EQ(flows.size(), 1u);
    fake.advance(1s);
  }
  EXPECT_TRUE(call().ok());
  EXPECT_EQ(flows.size(), 2u);
  EXPECT_EQ(channel->connection_count(), 1u);
}

TEST_F(DeadFlow, FailsCallsAtOnceIfTheServerHasGone) {
  EXPECT_TRUE(call().ok());
  fake.advance(1s);
  flows[0]->life = Life::swallows;
  acceptor.close();
  EXPECT_EQ(call().status.code, GrpcCode::deadline_exceeded);
  const GrpcReply reply = call();
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_FALSE(reply.sent);
  EXPECT_EQ(to_error(reply).code, Condition::retry_later);
}

}  // namespace
}  // namespace concerto::net
