// gRPC over TLS; client and server are Concerto's.

#include <concerto/transport/peer_certificate.hpp>

#include "hostile_fixture.hpp"
#include "tls_files.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Task<GrpcStatus> end_well() {
  co_return GrpcStatus{};
}

class GrpcTls : public Hostile {
 protected:
  void serve(test::TlsContext context) {
    GrpcServerOptions options;
    options.tls = std::move(context);
    options.failed_handshakes = reports;
    make_server(options).add_unary("/test.S/Echo", echo);
    listen();
  }

  void make_tls_channel(test::TlsContext context, std::string host = "b.org") {
    GrpcChannelOptions options;
    options.tls = std::move(context);
    options.tls_host = std::move(host);
    make_channel(std::move(options));
  }

  std::uint64_t failed_handshakes() const { return server->probe().failed_handshake_count; }

  test::TlsFiles files;
  std::vector<std::string> said;
  std::shared_ptr<FailedHandshakes> reports = std::make_shared<FailedHandshakes>(
      clock, "gRPC", [this](const std::string& text) { said.push_back(text); });
};

TEST_F(GrpcTls, CarriesCalls) {
  serve(files.server());
  make_tls_channel(files.client());
  for (const char* text : {"one", "two"}) {
    const GrpcReply reply = call("/test.S/Echo", text);
    ASSERT_TRUE(reply.ok()) << describe(reply.status);
    EXPECT_EQ(reply.message, text);
  }
  EXPECT_EQ(channel->connection_count(), 1u);
  EXPECT_EQ(failed_handshakes(), 0u);
}

TEST_F(GrpcTls, CarriesLargeMessagesBothWays) {
  serve(files.server());
  make_tls_channel(files.client());
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i);
  const GrpcReply reply = call("/test.S/Echo", large);
  ASSERT_TRUE(reply.ok()) << describe(reply.status);
  EXPECT_TRUE(reply.message == large);
}

TEST_F(GrpcTls, RefusesAServerOfAnotherName) {
  serve(files.server());
  make_tls_channel(files.client(), "c.org");
  const GrpcReply reply = call("/test.S/Echo", "x");
  EXPECT_EQ(reply.status.code, GrpcCode::unavailable);
  EXPECT_THAT(reply.status.message, HasSubstr("mismatch"));
  run_until([&] { return failed_handshakes() > 0; });
}

TEST_F(GrpcTls, RefusesAClientThatSpeaksPlainText) {
  serve(files.server());
  make_channel();
  EXPECT_EQ(call("/test.S/Echo", "x").status.code, GrpcCode::unavailable);
  run_until([&] { return failed_handshakes() > 0; });
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("at the gRPC port"));
  EXPECT_THAT(said[0], HasSubstr("with 127.0.0.1:"));
  EXPECT_THAT(said[0], HasSubstr("TLS: "));
}

TEST_F(GrpcTls, RefusesAClientOfAnotherProtocol) {
  serve(files.server());
  test::TlsPeer peer(executor(), address, files.client(), Alpn::http_1_1);
  run_until([&] {
    peer.exchange();
    return !peer.failure().empty() && peer.saw_end();
  });
  EXPECT_THAT(peer.failure(), HasSubstr("no application protocol"));
  peer.close();
  run_until([&] { return failed_handshakes() == 1 && server->connection_count() == 0; });
}

TEST_F(GrpcTls, GivesTheHandshakeATimeLimit) {
  serve(files.server());
  RawSocket silent = connect();
  run_until([&] { return server->connection_count() == 1; });
  for (int rounds = 0; rounds < 20; ++rounds) io.poll();
  io.restart();
  pass(20s);
  run_until([&] { return ended(silent); });
  EXPECT_EQ(failed_handshakes(), 1u);
  EXPECT_THAT(said, testing::ElementsAre(testing::EndsWith("no handshake of TLS in time")));
}

TEST_F(GrpcTls, AsksForTheClientsCertificate) {
  serve(files.server(true));
  make_tls_channel(files.client());
  EXPECT_EQ(call("/test.S/Echo", "x").status.code, GrpcCode::unavailable);
  make_tls_channel(files.client(true));
  const GrpcReply reply = call("/test.S/Echo", "y");
  EXPECT_TRUE(reply.ok()) << describe(reply.status);
}

TEST_F(GrpcTls, ShowsTheClientsCertificateToHandlers) {
  serve(files.server(true));
  std::vector<std::string> names;
  const auto note = [&names](const std::shared_ptr<const PeerCertificate>& certificate) {
    names.push_back(certificate ? certificate->common_name : "nobody");
  };
  server->add_unary("/test.S/Who", [note](GrpcRequest request) {
    note(request.certificate);
    return echo(std::move(request));
  });
  server->add_stream("/test.S/WhoStreams", [note](GrpcServerStream& stream) {
    note(stream.certificate());
    return end_well();
  });
  make_tls_channel(files.client(true));
  call("/test.S/Who", {});
  call("/test.S/WhoStreams", {});
  EXPECT_THAT(names, testing::ElementsAre("server", "server"));
}

TEST_F(GrpcTls, AStopEndsWithAClosingAlertForASlowClient) {
  serve(files.server());
  test::TlsPeer peer(executor(), address, files.client(), Alpn::http_2);
  http2::End end{http2::Side::client};
  run_until([&] {
    peer.exchange(200);
    return peer.is_open();
  });
  peer.write(end.pull());
  std::size_t taken = 0;
  run_until([&] {
    peer.exchange(200);
    end.receive(
        std::string_view(peer.received()).substr(std::exchange(taken, peer.received().size())));
    return taken > 0;
  });
  bool stopped = false;
  TaskGroup group(executor());
  group.spawn([](GrpcServer& served, SteadyTime by, bool& done) -> Task<void> {
    co_await served.drain(by);
    done = true;
  }(*server, in(24h), stopped));
  run_until([&] {
    peer.exchange(200);
    if (peer.saw_end()) peer.close();
    return stopped || peer.saw_end();
  });
  run_until([&] { return stopped && group.size() == 0; });
  EXPECT_EQ(peer.failure(), "closed by the peer") << "the closing alert has come";
}

}  // namespace
}  // namespace concerto::net
