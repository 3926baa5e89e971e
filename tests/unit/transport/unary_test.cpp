#include <string>

#include "grpc_fixture.hpp"

namespace concerto::net {
namespace {

class Unary : public GrpcTest {
 protected:
  Unary() {
    make_server().add_unary("/test.Echo/Echo", echo);
    server->add_unary("/test.Echo/Fail", [](GrpcRequest) -> Task<GrpcReply> {
      co_return GrpcReply::failure(GrpcCode::aborted, "no money: 100% \xC3\xA9\n");
    });
    server->add_unary("/test.Echo/Throw", [](GrpcRequest) -> Task<GrpcReply> {
      throw std::runtime_error("a bug");
      co_return GrpcReply();
    });
    listen();
    make_channel();
  }
};

TEST_F(Unary, ReturnsTheReply) {
  const GrpcReply reply = call("/test.Echo/Echo", "hello");
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "hello");
  EXPECT_TRUE(reply.sent);
}

// If each call caused a reset, the server's limit of resets would end the connection.
TEST_F(Unary, ManyCallsAreNotTakenForAFloodOfResets) {
  for (int i = 0; i < 8'000; ++i) {
    const GrpcReply reply = call("/test.Echo/Echo", "hello");
    ASSERT_TRUE(reply.ok()) << "call " << i << ": " << describe(reply.status);
  }
  EXPECT_EQ(server->connection_count(), 1U);
  EXPECT_EQ(channel->connection_count(), 1U);
}

/// Waits until its client has gone or the server closes.
Task<GrpcReply> wait_for_the_end(GrpcRequest request, int& waiting) {
  Notifier cancelled(co_await asio::this_coro::executor);
  request.on_cancelled([&cancelled] { cancelled.notify_all(); });
  ++waiting;
  while (!request.cancelled()) co_await cancelled.wait();
  --waiting;
  co_return GrpcReply();
}

class WaitingHandler : public GrpcTest {
 protected:
  WaitingHandler() {
    make_server().add_unary("/test.Echo/Wait", [this](GrpcRequest request) {
      return wait_for_the_end(std::move(request), waiting);
    });
    listen();
    make_channel();
  }
  void call_in_background(SteadyTime deadline) {
    const GrpcMetadata metadata;
    asio::co_spawn(
        io, channel->unary("/test.Echo/Wait", "", metadata, deadline),
        [this](const std::exception_ptr&, const GrpcReply& reply) { code = reply.status.code; });
    run_until([this] { return waiting == 1; });
  }

  int waiting = 0;
  GrpcCode code = GrpcCode::ok;
};

TEST_F(WaitingHandler, SeesThatItsClientHasGone) {
  call_in_background(in(std::chrono::seconds(5)));
  pass(std::chrono::seconds(6));
  run_until([this] { return waiting == 0; });
  EXPECT_EQ(server->call_count(), 0U);
}

TEST_F(WaitingHandler, IsEndedAtAStop) {
  call_in_background(SteadyTime::max());
  stop_server(std::chrono::seconds(0));
  EXPECT_EQ(waiting, 0);
}

TEST_F(WaitingHandler, IsEndedByTheDestructorOfTheServer) {
  call_in_background(SteadyTime::max());
  listener.reset();
  server.reset();
  EXPECT_EQ(waiting, 0);
}

TEST_F(Unary, CarriesAnEmptyMessage) {
  const GrpcReply reply = call("/test.Echo/Echo", "");
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "");
}

TEST_F(Unary, CarriesAMessageLargerThanTheWindows) {
  const std::string large(4u << 20, 'x');
  const GrpcReply reply = call("/test.Echo/Echo", large);
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_TRUE(reply.message == large);
}

TEST_F(Unary, DropsTheMessageIfOnlyTheStatusIsWanted) {
  const auto status_of = [this](std::string message) {
    return run(channel->unary("/test.Echo/Echo", std::move(message), {}, SteadyTime::max(),
                              GrpcAnswer::status));
  };
  const GrpcReply reply = status_of(std::string(4u << 20, 'x'));
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "");
  EXPECT_EQ(status_of(std::string((4u << 20) + 1, 'x')).status.code, GrpcCode::resource_exhausted);
}

TEST_F(Unary, RefusesAMessageOverTheLimit) {
  const GrpcReply reply = call("/test.Echo/Echo", std::string((4u << 20) + 1, 'x'));
  EXPECT_EQ(reply.status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(reply.status.message, "received message larger than max (4194305 bytes)");
  EXPECT_TRUE(call("/test.Echo/Echo", "next").ok());
}

TEST_F(Unary, CarriesStatusAndText) {
  const GrpcReply reply = call("/test.Echo/Fail", "");
  EXPECT_EQ(reply.status.code, GrpcCode::aborted);
  EXPECT_EQ(reply.status.message, "no money: 100% \xC3\xA9\n");
}

TEST_F(Unary, TurnsAnExceptionIntoInternal) {
  const GrpcReply reply = call("/test.Echo/Throw", "");
  EXPECT_EQ(reply.status.code, GrpcCode::internal);
  EXPECT_EQ(reply.status.message, "a bug");
}

TEST_F(Unary, NamesTheUnknownMethod) {
  const GrpcReply reply = call("/test.Echo/Nothing", "");
  EXPECT_EQ(reply.status.code, GrpcCode::unimplemented);
  EXPECT_EQ(reply.status.message, "unknown method Nothing for service test.Echo");
}

TEST_F(Unary, NamesTheUnknownService) {
  const GrpcReply reply = call("/test.Nothing/Echo", "");
  EXPECT_EQ(reply.status.code, GrpcCode::unimplemented);
  EXPECT_EQ(reply.status.message, "unknown service test.Nothing");
}

TEST_F(Unary, RefusesAnInvalidPath) {
  EXPECT_EQ(call("test.Echo/Echo", "").status.code, GrpcCode::internal);
  EXPECT_EQ(call("/test Echo/Echo", "").status.code, GrpcCode::internal);
}

TEST_F(Unary, FailsFastWhenNobodyListens) {
  stop_server(std::chrono::seconds(1));
  const GrpcReply reply = call("/test.Echo/Echo", "");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, testing::HasSubstr("Connection refused"));
  EXPECT_FALSE(reply.sent);
  EXPECT_EQ(to_error(reply).code, Condition::retry_later);
  const GrpcReply again = call("/test.Echo/Echo", "");
  EXPECT_EQ(again.status.code, GrpcCode::unavailable);
}

}  // namespace
}  // namespace concerto::net
