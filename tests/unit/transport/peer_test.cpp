// Concerto's transport and gRPC C++ work together, with either of them as the server.

#include <deque>
#include <string>
#include <utility>

#include "grpc_fixture.hpp"
#include "grpc_peer.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;

class OurClient : public GrpcTest {
 protected:
  explicit OurClient(int streams_max = 1000) : peer(streams_max) {
    address.port(peer.port());
    GrpcChannelOptions options;
    options.message_bytes_max = 16u << 20;
    make_channel(options);
  }
  ~OurClient() override { channel.reset(); }

  Task<void> call_and_count(std::string method, int& good) {
    GrpcMetadata metadata;
    const GrpcReply reply =
        co_await channel->unary(std::move(method), "m", std::move(metadata), in(30s));
    EXPECT_TRUE(reply.ok()) << describe(reply.status);
    if (reply.message == "m") ++good;
  }

  void expect_calls(int count) {
    TaskGroup calls(executor());
    int good = 0;
    for (int i = 0; i < count; ++i) calls.spawn(call_and_count("/peer.Peer/Echo", good));
    run_until([&] { return calls.size() == 0; });
    EXPECT_EQ(good, count);
  }

  test::GrpcPeerServer peer;
};

TEST_F(OurClient, MakesUnaryCalls) {
  const GrpcReply reply = call("/peer.Peer/Echo", "hello", in(10s));
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_EQ(reply.message, "hello");
  EXPECT_GT(peer.deadline_ms, 8000);
  EXPECT_LE(peer.deadline_ms, 10000);
}

TEST_F(OurClient, UnderstandsStatusAndText) {
  const GrpcReply reply = call("/peer.Peer/Abort", "");
  EXPECT_EQ(reply.status.code, GrpcCode::aborted);
  EXPECT_EQ(reply.status.message, "no money: 100% \xC3\xA9");
}

TEST_F(OurClient, ExchangesMetadata) {
  GrpcMetadata metadata;
  metadata.add("x-text", "a b");
  metadata.add("x-bin", std::string_view("\0\xff\n", 3));
  const GrpcReply reply = run(channel->unary("/peer.Peer/Echo", "", metadata, in(10s)));
  for (const GrpcMetadata* got : {&reply.metadata, &reply.trailers}) {
    EXPECT_EQ(got->find("x-text"), "a b");
    EXPECT_EQ(got->find("x-bin"), std::string_view("\0\xff\n", 3));
  }
}

TEST_F(OurClient, CancelsAtItsDeadline) {
  const auto stream = channel->open_stream("/peer.Peer/Never", {}, in(1h));
  run_until([&] { return peer.started == 1; });
  pass(1h);
  EXPECT_EQ(run(stream->finish()).status.code, GrpcCode::deadline_exceeded);
  run_until([&] { return peer.cancelled == 1; });
}

TEST_F(OurClient, CancelsAStream) {
  const auto stream = channel->open_stream("/peer.Peer/Never", {}, SteadyTime::max());
  run_until([&] { return peer.started == 1; });
  stream->cancel();
  run_until([&] { return peer.cancelled == 1; });
}

TEST_F(OurClient, CarriesMessagesAcrossWindows) {
  const std::string large(8u << 20, 'x');
  const GrpcReply reply = call("/peer.Peer/Echo", large, in(30s));
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_TRUE(reply.message == large);
}

Task<void> talk(GrpcClientStream& stream) {
  for (int i = 0; i < 200; ++i) {
    const std::string sent = "message " + std::to_string(i);
    EXPECT_TRUE(co_await stream.write(sent));
    EXPECT_EQ(co_await stream.read(), sent);
  }
  stream.writes_done();
  EXPECT_EQ(co_await stream.read(), std::nullopt);
}

TEST_F(OurClient, StreamsBothWays) {
  const auto stream = channel->open_stream("/peer.Peer/Echo", {}, in(30s));
  run(talk(*stream));
  EXPECT_TRUE(run(stream->finish()).ok());
}

TEST_F(OurClient, MakesAThousandCallsAtOnce) {
  expect_calls(1000);
}

class OurClientOfASmallServer : public OurClient {
 protected:
  OurClientOfASmallServer() : OurClient(5) {}
};

TEST_F(OurClientOfASmallServer, KeepsToItsLimitOfStreams) {
  expect_calls(200);
  EXPECT_GT(channel->connection_count(), 1u);
}

class OurServer : public GrpcTest {
 protected:
  OurServer() {
    GrpcServerOptions options;
    options.message_bytes_max = 16u << 20;
    make_server(options).add_unary(
        "/our.Server/Echo", [](GrpcRequest request) { return echo_all(std::move(request)); });
    server->add_unary("/our.Server/Hold",
                      [this](GrpcRequest request) { return hold(std::move(request)); });
    server->add_stream("/our.Server/Stream",
                       [](GrpcServerStream& stream) { return echo_stream(stream); });
    listen();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(address.port()),
                                  grpc::InsecureChannelCredentials(), arguments));
  }

  static Task<GrpcReply> echo_all(GrpcRequest request) {
    GrpcReply reply = GrpcReply::success(std::move(request.message));
    for (const auto& [name, value] : request.metadata) {
      if (name.starts_with("x-")) reply.metadata.add(name, value);
      if (name.starts_with("x-")) reply.trailers.add(name, value);
    }
    co_return reply;
  }

  Task<GrpcReply> hold(GrpcRequest request) {
    ++held;
    holding = &request;
    while (!released) co_await release.wait();
    holding = nullptr;
    ++finished;
    co_return GrpcReply::success("");
  }

  static Task<GrpcStatus> echo_stream(GrpcServerStream& stream) {
    while (auto message = co_await stream.read()) {
      if (!co_await stream.write(std::move(*message))) break;
    }
    co_return GrpcStatus{GrpcCode::out_of_range, "that was all"};
  }

  void start(test::GrpcPeerCall& call, const std::string& method, const std::string& message) {
    call.request = test::to_buffer(message);
    stub->UnaryCall(&call.context, method, grpc::StubOptions(), &call.request, &call.reply,
                    [&call](grpc::Status status) {
                      call.status = std::move(status);
                      call.done = true;
                    });
  }

  void finish(test::GrpcPeerCall& call) {
    run_until([&] { return call.done.load(); });
  }

  void let_go() {
    released = true;
    release.notify_all();
  }

  Notifier release{executor()};
  bool released = false;
  int held = 0;
  int finished = 0;
  const GrpcRequest* holding = nullptr;  ///< the last request that was held
  std::unique_ptr<grpc::GenericStub> stub;
};

TEST_F(OurServer, AnswersUnaryCallsWithMetadata) {
  test::GrpcPeerCall call;
  call.context.AddMetadata("x-text", "a b");
  call.context.AddMetadata("x-bin", std::string("\0\xff\n", 3));
  start(call, "/our.Server/Echo", "hello");
  finish(call);
  EXPECT_TRUE(call.status.ok()) << call.status.error_message();
  EXPECT_EQ(test::to_string(call.reply), "hello");
  for (const auto* got :
       {&call.context.GetServerInitialMetadata(), &call.context.GetServerTrailingMetadata()}) {
    ASSERT_EQ(got->count("x-text"), 1u);
    EXPECT_EQ(got->find("x-text")->second, "a b");
    ASSERT_EQ(got->count("x-bin"), 1u);
    EXPECT_EQ(got->find("x-bin")->second, grpc::string_ref("\0\xff\n", 3));
  }
}

TEST_F(OurServer, NamesTheUnknownMethod) {
  test::GrpcPeerCall call;
  start(call, "/our.Server/Nothing", "");
  finish(call);
  EXPECT_EQ(call.status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(call.status.error_message(), "unknown method Nothing for service our.Server");
}

TEST_F(OurServer, HonoursTheDeadline) {
  test::GrpcPeerCall call;
  call.context.set_deadline(std::chrono::system_clock::now() + 100ms);
  start(call, "/our.Server/Hold", "");
  finish(call);
  EXPECT_EQ(call.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  let_go();
  run_until([&] { return finished == held; });
}

TEST_F(OurServer, SeesThatTheCallWasCancelled) {
  test::GrpcPeerCall call;
  start(call, "/our.Server/Hold", "");
  run_until([&] { return held == 1; });
  call.context.TryCancel();
  finish(call);
  EXPECT_EQ(call.status.error_code(), grpc::StatusCode::CANCELLED);
  run_until([&] { return holding->cancelled(); });
  let_go();
  run_until([&] { return finished == 1; });
}

TEST_F(OurServer, CarriesMessagesAcrossWindows) {
  test::GrpcPeerCall call;
  const std::string large(8u << 20, 'x');
  start(call, "/our.Server/Echo", large);
  finish(call);
  EXPECT_TRUE(call.status.ok()) << call.status.error_message();
  EXPECT_TRUE(test::to_string(call.reply) == large);
}

TEST_F(OurServer, RefusesAMessageOverTheLimit) {
  test::GrpcPeerCall call;
  start(call, "/our.Server/Echo", std::string(17u << 20, 'x'));
  finish(call);
  EXPECT_EQ(call.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(OurServer, StreamsBothWays) {
  test::GrpcPeerStream stream(*stub, "/our.Server/Stream", 200);
  run_until([&] { return stream.done.load(); });
  EXPECT_EQ(stream.answered, 200);
  EXPECT_EQ(stream.status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(stream.status.error_message(), "that was all");
}

TEST_F(OurServer, AnswersAThousandCallsAtOnce) {
  std::deque<test::GrpcPeerCall> calls(1000);
  for (auto& call : calls) start(call, "/our.Server/Echo", "m");
  for (auto& call : calls) {
    finish(call);
    EXPECT_TRUE(call.status.ok()) << call.status.error_message();
  }
}

TEST_F(OurServer, LetsRunningCallsFinishAtShutdown) {
  test::GrpcPeerCall call;
  start(call, "/our.Server/Hold", "");
  run_until([&] { return held == 1; });
  TaskGroup stopping(executor());
  stopping.spawn(server->drain(in(20s)));
  for (int rounds = 0; rounds < 5; ++rounds) io.run_one_for(20ms);
  EXPECT_FALSE(call.done);
  let_go();
  finish(call);
  EXPECT_TRUE(call.status.ok()) << call.status.error_message();
  run_until([&] { return stopping.size() == 0; });
}

}  // namespace
}  // namespace concerto::net
