#include <string>
#include <utility>

#include "grpc_fixture.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

/// Addresses that the test changes.
class TestAddresses final : public AddressSource {
 public:
  using AddressSource::publish;
  using AddressSource::publish_error;
  void refresh() override { ++refreshed; }
  int refreshed = 0;
};

class Channel : public GrpcTest {
 protected:
  Channel() {
    start_server();
    make_channel();
  }

  void start_server(GrpcServerOptions options = {}) {
    make_server(options).add_unary("/test.S/Echo", echo);
    server->add_unary("/test.S/Hold",
                      [this](GrpcRequest request) { return hold(std::move(request)); });
    listen();
  }

  /// Answers when the test says so.
  Task<GrpcReply> hold(GrpcRequest request) {
    ++held;
    while (!released) co_await release.wait();
    saw_cancelled = request.cancelled();
    ++finished;
    co_return GrpcReply::success(std::move(request.message));
  }

  void let_go() {
    released = true;
    release.notify_all();
  }

  Task<void> call_and_keep(std::string method, SteadyTime deadline) {
    GrpcMetadata metadata;
    replies.push_back(
        co_await channel->unary(std::move(method), "m", std::move(metadata), deadline));
  }

  void start_call(const char* method, SteadyTime deadline = SteadyTime::max()) {
    calls.spawn(call_and_keep(method, deadline));
  }

  Notifier release{executor()};
  bool released = false;
  int held = 0;
  int finished = 0;
  bool saw_cancelled = false;
  std::vector<GrpcReply> replies;
  TaskGroup calls{executor()};
};

TEST_F(Channel, ServesAThousandCallsAtOnce) {
  for (int i = 0; i < 1000; ++i) start_call("/test.S/Hold");
  run_until([&] { return held == 1000; });
  EXPECT_EQ(channel->connection_count(), 1u);
  let_go();
  run_until([&] { return replies.size() == 1000; });
  for (const GrpcReply& reply : replies) EXPECT_TRUE(reply.ok());
  EXPECT_EQ(channel->call_count(), 0u);
}

TEST_F(Channel, OpensMoreConnectionsWhenOneIsFull) {
  stop_server(0ms);
  GrpcServerOptions options;
  options.streams_per_connection_max = 3;
  start_server(options);
  GrpcChannelOptions few;
  few.connections_per_address_max = 2;
  make_channel(few);
  for (int i = 0; i < 10; ++i) start_call("/test.S/Hold");
  run_until([&] { return held == 6; });
  for (int rounds = 0; rounds < 100; ++rounds) io.poll_one();
  EXPECT_EQ(held, 6);
  EXPECT_EQ(channel->connection_count(), 2u);
  let_go();
  run_until([&] { return replies.size() == 10; });
  for (const GrpcReply& reply : replies) EXPECT_TRUE(reply.ok()) << describe(reply.status);
}

TEST_F(Channel, ChangedLimitsApplyToLaterConnections) {
  GrpcServerOptions limits;
  limits.streams_per_connection_max = 3;
  limits.message_bytes_max = 10;
  server->set_limits(limits);
  GrpcChannelOptions one_connection;
  one_connection.connections_per_address_max = 1;
  make_channel(one_connection);
  for (int i = 0; i < 4; ++i) start_call("/test.S/Hold");
  run_until([&] { return held == 3; });
  pass(1s);
  EXPECT_EQ(held, 3);
  let_go();
  run_until([&] { return finished == 4; });
  EXPECT_EQ(call("/test.S/Echo", "more than ten bytes").status.code, GrpcCode::resource_exhausted);
}

TEST_F(Channel, HandlerGoesOnAfterTheDeadline) {
  start_call("/test.S/Hold", in(1h));
  run_until([&] { return held == 1; });
  pass(1h);
  run_until([&] { return replies.size() == 1; });
  EXPECT_EQ(replies[0].status.code, GrpcCode::deadline_exceeded);
  EXPECT_TRUE(replies[0].sent);
  EXPECT_EQ(to_error(replies[0]).code, Condition::outcome_unknown);
  EXPECT_EQ(finished, 0);
  let_go();
  run_until([&] { return finished == 1; });
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Channel, HandlerGoesOnWhenTheCallerIsCancelled) {
  start_call("/test.S/Hold");
  run_until([&] { return held == 1; });
  run(calls.close());
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].status.code, GrpcCode::cancelled);
  let_go();
  run_until([&] { return finished == 1; });
  EXPECT_TRUE(saw_cancelled);
}

TEST_F(Channel, PassedDeadlineFailsBeforeAnythingIsSent) {
  const GrpcReply reply = call("/test.S/Echo", "", in(-1ms));
  EXPECT_EQ(reply.status.code, GrpcCode::deadline_exceeded);
  EXPECT_FALSE(reply.sent);
}

TEST_F(Channel, ReconnectsAfterTheServerCameBack) {
  EXPECT_TRUE(call("/test.S/Echo", "1").ok());
  stop_server(1s);
  start_server();
  EXPECT_TRUE(call("/test.S/Echo", "2").ok());
}

TEST_F(Channel, GoawayLetsRunningCallsFinish) {
  start_call("/test.S/Hold");
  run_until([&] { return held == 1; });
  GrpcServer& stopping = *server;
  bool stopped = false;
  TaskGroup group(executor());
  struct Stop {
    static Task<void> run(GrpcServer& which, SteadyTime limit, bool& done) {
      co_await which.drain(limit);
      done = true;
    }
  };
  group.spawn(Stop::run(stopping, in(20s), stopped));
  for (int rounds = 0; rounds < 100; ++rounds) io.poll_one();
  EXPECT_FALSE(stopped);
  let_go();
  run_until([&] { return stopped && replies.size() == 1; });
  EXPECT_TRUE(replies[0].ok()) << describe(replies[0].status);
}

TEST_F(Channel, FailsFastDuringBackoffAndRecoversAfterIt) {
  stop_server(0ms);
  GrpcChannelOptions options;
  options.backoff_min = 50ms;
  options.backoff_max = 50ms;
  make_channel(options);
  const GrpcReply refused = call("/test.S/Echo", "");
  EXPECT_EQ(refused.status.code, GrpcCode::unavailable);
  EXPECT_FALSE(refused.sent);
  start_server();
  EXPECT_EQ(call("/test.S/Echo", "").status.message, refused.status.message);
  GrpcReply reply;
  run_until([&] {
    reply = call("/test.S/Echo", "");
    return reply.ok();
  });
}

TEST_F(Channel, UsesTheAddressesInTurn) {
  GrpcServer first(executor(), timers);
  GrpcServer second(executor(), timers);
  int served[2] = {};
  const auto counting = [](int& count) {
    return [&count](GrpcRequest request) {
      ++count;
      return echo(std::move(request));
    };
  };
  first.add_unary("/test.S/Echo", counting(served[0]));
  second.add_unary("/test.S/Echo", counting(served[1]));
  const Address any(asio::ip::address_v4::loopback(), 0);
  Listener first_listener(executor(), timers, {&first});
  Listener second_listener(executor(), timers, {&second});
  ASSERT_TRUE(first_listener.listen(any));
  ASSERT_TRUE(second_listener.listen(any));
  TestAddresses both;
  both.publish({first_listener.address(), second_listener.address()});
  {
    GrpcChannel turns(executor(), timers, random, both);
    run_until([&] {
      GrpcMetadata metadata;
      EXPECT_TRUE(run(turns.unary("/test.S/Echo", "", metadata, SteadyTime::max())).ok());
      return turns.connection_count() == 2 && served[0] > 2 && served[1] > 2;
    });
    const int before[2] = {served[0], served[1]};
    for (int i = 0; i < 10; ++i) {
      GrpcMetadata metadata;
      run(turns.unary("/test.S/Echo", "", metadata, SteadyTime::max()));
    }
    EXPECT_EQ(served[0] - before[0], 5);
    EXPECT_EQ(served[1] - before[1], 5);
    both.publish({second_listener.address()});
    const int alone = served[0];
    for (int i = 0; i < 4; ++i) {
      GrpcMetadata metadata;
      run(turns.unary("/test.S/Echo", "", metadata, SteadyTime::max()));
    }
    EXPECT_EQ(served[0], alone);
    run_until([&] { return turns.connection_count() == 1; });
  }
  run(first.drain(in(1s)));
  run(second.drain(in(1s)));
}

TEST_F(Channel, WaitsForTheFirstAddresses) {
  TestAddresses unknown;
  channel = std::make_unique<GrpcChannel>(executor(), timers, random, unknown);
  start_call("/test.S/Echo");
  for (int rounds = 0; rounds < 10; ++rounds) io.poll_one();
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(unknown.refreshed, 1);
  unknown.publish({address});
  run_until([&] { return replies.size() == 1; });
  EXPECT_TRUE(replies[0].ok());
  channel.reset();
}

TEST_F(Channel, ReportsWhyThereIsNoAddress) {
  TestAddresses none;
  none.publish_error(Error{make_unsent_error_code(GrpcCode::unavailable), "no such host"});
  channel = std::make_unique<GrpcChannel>(executor(), timers, random, none);
  const GrpcReply reply = call("/test.S/Echo", "");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_EQ(reply.status.message, "no such host");
  EXPECT_FALSE(reply.sent);
  channel.reset();
}

TEST_F(Channel, CarriesMetadataBothWays) {
  server->add_unary("/test.S/Meta", [](GrpcRequest request) -> Task<GrpcReply> {
    GrpcReply reply;
    reply.message = std::to_string(request.metadata.size());
    for (const auto& [name, value] : request.metadata) {
      if (name.starts_with("x-")) reply.metadata.add(name, value);
      if (name.starts_with("x-")) reply.trailers.add(name, value);
    }
    co_return reply;
  });
  GrpcMetadata metadata;
  metadata.add("X-Text", "a b");
  metadata.add("x-bin", std::string_view("\0\x01\xff", 3));
  metadata.add("x-empty", "");
  const GrpcReply reply = run(channel->unary("/test.S/Meta", "", metadata, SteadyTime::max()));
  ASSERT_TRUE(reply.ok()) << describe(reply.status);
  for (const GrpcMetadata* got : {&reply.metadata, &reply.trailers}) {
    EXPECT_EQ(got->find("x-text"), "a b");
    EXPECT_EQ(got->find("x-bin"), std::string_view("\0\x01\xff", 3));
    EXPECT_EQ(got->find("x-empty"), "");
  }
}

TEST_F(Channel, RefusesToSendInvalidMetadata) {
  GrpcMetadata metadata;
  metadata.add("x-text", "a\nb");
  const GrpcReply reply = run(channel->unary("/test.S/Echo", "", metadata, SteadyTime::max()));
  EXPECT_EQ(reply.status.code, GrpcCode::internal);
  EXPECT_FALSE(reply.sent);
}

TEST_F(Channel, CloseFailsRunningAndLaterCalls) {
  start_call("/test.S/Hold");
  run_until([&] { return held == 1; });
  channel->close();
  run_until([&] { return replies.size() == 1; });
  EXPECT_EQ(replies[0].status.code, GrpcCode::unavailable);
  EXPECT_TRUE(replies[0].sent);
  EXPECT_EQ(call("/test.S/Echo", "").status.message, "channel closed");
  let_go();
  run_until([&] { return finished == 1; });
}

}  // namespace
}  // namespace concerto::net
