#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "fake_clock.hpp"

namespace concerto::net {

/// One shard: its io_context, clock and timers, and a way to run a coroutine to its end.
class GrpcShardTest : public testing::Test {
 protected:
  GrpcShardTest() : timers(io.get_executor(), clock) {}

  Executor executor() { return io.get_executor(); }
  SteadyTime in(std::chrono::milliseconds time) { return clock.steady_now() + time; }

  /// Moves the clock, and runs the timers that are due.
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    timers.run_due();
  }

  /// Runs the shard until the coroutine has ended. Throws if that takes too long.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    run(store(std::move(task), result));
    return std::move(*result);
  }

  void run(Task<void> task) {
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) {
      done = true;
      failure = error;
    });
    run_until([&] { return done; });
    if (failure) std::rethrow_exception(failure);
  }

  template <class Condition>
  void run_until(Condition condition) {
    io.restart();
    const SteadyTime limit = in(patience);
    while (!condition()) {
      if (clock.steady_now() > limit) throw std::runtime_error("the test hangs");
      io.run_one_for(std::chrono::milliseconds(100));
      io.restart();
    }
  }

  static constexpr std::chrono::seconds patience{30};

  asio::io_context io{1};
  SystemClock system_clock;
  concerto::test::MovableClock clock{system_clock};
  SystemRandom random;
  Timers timers;

 private:
  template <class T>
  static Task<void> store(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
};

/// A server and a channel to it over loopback, both on one shard.
class GrpcTest : public GrpcShardTest {
 protected:
  /// Ends the handlers before the objects that they refer to are destroyed.
  void TearDown() override {
    if (server) stop_server(std::chrono::seconds(0));
  }

  GrpcServer& make_server(GrpcServerOptions options = {}) {
    server = std::make_unique<GrpcServer>(executor(), timers, options);
    return *server;
  }

  void listen() {
    listener = std::make_unique<Listener>(executor(), timers,
                                          std::vector<ConnectionServer*>{server.get()});
    ASSERT_TRUE(listener->listen(address)) << "cannot listen";
    address = listener->address();
  }

  GrpcChannel& make_channel(GrpcChannelOptions options = {}) {
    channel.reset();
    addresses = std::make_unique<StaticAddresses>(std::vector<Address>{address});
    channel = std::make_unique<GrpcChannel>(executor(), timers, random, *addresses, options);
    return *channel;
  }

  void stop_server(std::chrono::milliseconds grace) {
    listener.reset();
    run(server->drain(in(grace)));
    server.reset();
  }

  GrpcReply call(std::string method, std::string message, SteadyTime deadline = SteadyTime::max()) {
    GrpcMetadata metadata;
    return run(channel->unary(std::move(method), std::move(message), metadata, deadline));
  }

  Address address{asio::ip::address_v4::loopback(), 0};
  std::unique_ptr<GrpcServer> server;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<StaticAddresses> addresses;
  std::unique_ptr<GrpcChannel> channel;
};

/// Replies with the request's message.
inline Task<GrpcReply> echo(GrpcRequest request) {
  co_return GrpcReply::success(std::move(request.message));
}

}  // namespace concerto::net
