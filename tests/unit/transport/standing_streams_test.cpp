// Streams that stay open for ever, as watches of the health service do. Anybody may open them.

#include <list>
#include <memory>
#include <string>
#include <vector>

#include <concerto/transport/grpc_health.hpp>

#include "hostile_fixture.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

constexpr const char* watch_path = "/grpc.health.v1.Health/Watch";
const std::string empty_message(5, '\0');

class StandingStreams : public Hostile {
 protected:
  StandingStreams() : health(executor()) {}

  void start_with_health(GrpcServerOptions options = {}) {
    start(options);
    health.register_on(*server);
    health.set("", ServingStatus::serving);
  }

  /// A watch that has got its first answer, unless the server refuses it.
  std::unique_ptr<GrpcClientStream> watch(GrpcChannel& from, SteadyTime deadline) {
    auto stream = from.open_stream(watch_path, {}, deadline);
    run(stream->write(""));
    run(stream->read());
    return stream;
  }
  std::unique_ptr<GrpcClientStream> watch() { return watch(*channel, SteadyTime::max()); }

  std::size_t run_what_is_ready() {
    std::size_t total = 0;
    for (std::size_t count = 1; count > 0; total += count) {
      io.restart();
      count = io.poll();
    }
    return total;
  }

  /// The handlers that run when the deadline of one watch passes.
  std::size_t cost_of_a_deadline() {
    const std::size_t others = server->call_count();
    const auto stream = watch(*channel, in(1s));
    run_what_is_ready();
    pass(2s);
    std::size_t cost = 0;
    while (server->call_count() > others) cost += run_what_is_ready();
    return cost + run_what_is_ready();
  }

  /// A connection with one call, which the server has answered as far as it can.
  Attacker& attack(const char* path, const http2::SessionOptions& options = {}) {
    Attacker& attacker = attackers.emplace_back(connect(), options);
    http2::RecordingStream& stream = attacker.open(path);
    stream.send(empty_message);
    stream.end();
    run_until([&] { return attacker.exchange(), attacker.answers(":status: 200") == 1; });
    return attacker;
  }

  GrpcHealth health;
  std::list<Attacker> attackers;
};

TEST_F(StandingStreams, TheEndOfAWatchWakesNoOther) {
  constexpr std::size_t others_count = 80;
  start_with_health();
  const std::size_t alone = cost_of_a_deadline();
  std::vector<std::unique_ptr<GrpcClientStream>> others;
  while (others.size() < others_count) others.push_back(watch());
  EXPECT_LT(cost_of_a_deadline(), alone + others_count / 2);
  health.set("", ServingStatus::not_serving);
  for (const auto& other : others) EXPECT_TRUE(run(other->read()));
}

TEST_F(StandingStreams, AConnectionHasALimit) {
  GrpcServerOptions options;
  options.standing_streams_per_connection_max = 2;
  start_with_health(options);
  auto first = watch();
  const auto second = watch();
  EXPECT_EQ(run(watch()->finish()).status.code, GrpcCode::resource_exhausted);
  expect_served();
  first.reset();
  run_until([&] { return server->call_count() == 1; });
  const auto next = watch();
  EXPECT_EQ(server->call_count(), 2u);
}

TEST_F(StandingStreams, AShardHasALimitThatSparesTheOnlyWatchOfAConnection) {
  GrpcServerOptions options;
  options.standing_streams_max = 2;
  start_with_health(options);
  const auto first = watch();
  const auto second = watch();
  EXPECT_EQ(run(watch()->finish()).status.code, GrpcCode::resource_exhausted);
  GrpcChannel other(executor(), timers, random, *addresses, {});
  const auto only = watch(other, SteadyTime::max());
  EXPECT_EQ(server->call_count(), 3u);
  EXPECT_EQ(run(watch(other, SteadyTime::max())->finish()).status.code,
            GrpcCode::resource_exhausted);
}

TEST_F(StandingStreams, AConnectionWithWatchesMakesRoomForTheNextOne) {
  GrpcServerOptions options;
  options.connections_max = 2;
  start_with_health(options);
  Attacker& older = attack(watch_path);
  clock.advance(1s);
  Attacker& newer = attack(watch_path);
  RawSocket refused = connect();
  run_until([&] { return ended(refused) && server->connection_count() == 1; });
  run_until([&] { return older.exchange(), older.has_ended(); });
  EXPECT_TRUE(older.was_told_to_go());
  newer.exchange();
  EXPECT_FALSE(newer.has_ended());
  expect_served();
  run_until([&] { return server->call_count() == 1; });
}

TEST_F(StandingStreams, AWatchBesideACallDoesNotEndTheCall) {
  GrpcServerOptions options;
  options.connections_max = 2;
  start_with_health(options);
  Notifier end(executor());
  server->add_stream("/test.S/Work",
                     [&](GrpcServerStream& stream) { return wait_for_the_end(stream, end); });
  Attacker& busy = attack(watch_path);
  busy.open("/test.S/Work");
  run_until([&] { return busy.exchange(), server->call_count() == 2; });
  clock.advance(1s);
  Attacker& idle = attack(watch_path);
  RawSocket refused = connect();
  run_until([&] { return ended(refused) && server->connection_count() == 1; });
  run_until([&] { return idle.exchange(), idle.has_ended(); });
  busy.exchange();
  EXPECT_FALSE(busy.has_ended());
  attackers.clear();
  run_until([&] { return server->connection_count() == 0; });
  end.notify_all();
  run_until([&] { return server->call_count() == 0; });
}

TEST_F(StandingStreams, AnAnswerThatIsNotTakenDoesNotKeepItsConnection) {
  GrpcServerOptions options;
  options.connections_max = 1;
  start_with_health(options);
  http2::SessionOptions nothing_taken;
  nothing_taken.stream_window_bytes = 0;
  Attacker& attacker = attack("/test.S/Echo", nothing_taken);
  RawSocket refused = connect();
  run_until([&] { return ended(refused) && server->connection_count() == 0; });
  run_until([&] { return attacker.exchange(), attacker.has_ended(); });
  expect_served();
}

}  // namespace
}  // namespace concerto::net
