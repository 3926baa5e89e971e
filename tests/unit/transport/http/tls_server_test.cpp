// HTTP/1.1 over TLS: with Concerto's client, and with clients that send and read single bytes.

#include <gmock/gmock.h>

#include <concerto/transport/peer_certificate.hpp>

#include "../tls_files.hpp"
#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Task<HttpResponse> name_the_client(HttpRequest request) {
  co_return text_response(200, request.certificate ? request.certificate->common_name : "nobody");
}

class HttpTls : public ClientTest {
 protected:
  void SetUp() override {
    ClientTest::SetUp();
    router_.add("GET", "/certificate", name_the_client);
    resolver_.hosts["b.org"] = {asio::ip::address_v4::loopback()};
    make_client({}, {}, files_.client());
  }

  void serve_tls(TlsContext context) {
    HttpServerOptions options;
    options.tls = std::move(context);
    options.failed_handshakes = reports_;
    serve(options);
  }

  std::string url(std::string_view path) {
    return "https://b.org:" + std::to_string(listener_->address().port()) + std::string{path};
  }

  TlsPeer open(Alpn alpn = Alpn::http_1_1) {
    return TlsPeer{executor(), listener_->address(), files_.client(), alpn};
  }

  std::uint64_t failed_handshakes() const { return server_->probe().failed_handshake_count; }

  TlsFiles files_;
  std::vector<std::string> said_;
  std::shared_ptr<FailedHandshakes> reports_ = std::make_shared<FailedHandshakes>(
      clock_, "HTTP", [this](const std::string& text) { said_.push_back(text); });
};

TEST_F(HttpTls, AnswersRequestsOnOneConnection) {
  serve_tls(files_.server());
  for (int i = 0; i < 3; ++i) {
    const auto answer = get(url("/hello"));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "hello you");
  }
  EXPECT_EQ(server_->probe().accepted_count, 1u);
  EXPECT_EQ(failed_handshakes(), 0u);
}

TEST_F(HttpTls, CarriesLargeBodiesBothWays) {
  serve_tls(files_.server());
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i);
  const auto answer = finish(start_post(url("/echo"), large));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(answer->body == large);
}

TEST_F(HttpTls, RefusesAClientOfAnotherProtocol) {
  serve_tls(files_.server());
  TlsPeer peer = open(Alpn::http_2);
  run_until([&] {
    peer.exchange();
    return !peer.failure().empty();
  });
  EXPECT_THAT(peer.failure(), HasSubstr("no application protocol"));
  peer.close();
  run_until([&] { return failed_handshakes() == 1 && server_->connection_count() == 0; });
}

TEST_F(HttpTls, RefusesAClientThatSpeaksPlainText) {
  serve_tls(files_.server());
  RawPeer& peer = connect();
  peer.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  run_until([&] { return peer.saw_end() && failed_handshakes() == 1; });
  EXPECT_THAT(said_, ElementsAre(HasSubstr("the last one with 127.0.0.1:")));
  EXPECT_THAT(said_, ElementsAre(EndsWith("TLS: http request")));
}

TEST_F(HttpTls, ReportsAClientThatDoesNotTrustTheServer) {
  serve_tls(files_.server());
  const TlsFiles others;
  await(client_->close());
  make_client({}, {}, others.client());
  EXPECT_FALSE(get(url("/hello")));
  run_until([&] { return failed_handshakes() > 0; });
  EXPECT_THAT(said_, ElementsAre(HasSubstr("alert")));
}

TEST_F(HttpTls, ReportsAClientThatGoesInTheHandshake) {
  serve_tls(files_.server());
  connect().close();
  run_until([&] { return failed_handshakes() == 1; });
  EXPECT_THAT(said_, ElementsAre(EndsWith("closed by the peer")));
}

TEST_F(HttpTls, ReportsGoOnAfterAChangeOfTheLimits) {
  serve_tls(files_.server());
  HttpServerOptions changed;
  changed.tls = files_.server();
  server_->set_limits(changed);
  connect().close();
  run_until([&] { return said_.size() == 1; });
}

TEST_F(HttpTls, GivesTheHandshakeATimeLimit) {
  serve_tls(files_.server());
  RawPeer& silent = connect();
  run_until([&] { return server_->probe().accepted_count == 1; });
  poll();
  advance(seconds{10});
  run_until([&] { return silent.saw_end() && failed_handshakes() == 1; });
  EXPECT_THAT(said_, ElementsAre(EndsWith("not complete in time")));
}

TEST_F(HttpTls, AsksForTheClientsCertificate) {
  serve_tls(files_.server(true));
  EXPECT_FALSE(get(url("/hello")));
  await(client_->close());
  make_client({}, {}, files_.client(true));
  const auto answer = get(url("/certificate"));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "server") << "the name in the certificate that the client has shown";
}

TEST_F(HttpTls, AnswersASlowClient) {
  serve_tls(files_.server());
  TlsPeer peer = open();
  run_until([&] {
    peer.exchange(100);
    return peer.is_open();
  });
  for (const std::string_view part : {"GET /hel", "lo HTTP/1.1\r\nHo", "st: h\r\n\r\n"}) {
    peer.write(part);
    peer.exchange(100);
    poll();
  }
  run_until([&] {
    peer.exchange(100);
    return peer.received().ends_with("hello you");
  });
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpTls, EndsWithAClosingAlertAfterTheLastAnswer) {
  serve_tls(files_.server());
  TlsPeer peer = open();
  run_until([&] {
    peer.exchange();
    return peer.is_open();
  });
  peer.write("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  run_until([&] {
    peer.exchange();
    return peer.saw_end();
  });
  EXPECT_THAT(peer.received(), EndsWith("hello you"));
  EXPECT_EQ(peer.failure(), "closed by the peer");
}

TEST_F(HttpTls, AClientThatEndsItsDirectionIsClosed) {
  serve_tls(files_.server());
  TlsPeer peer = open();
  run_until([&] {
    peer.exchange();
    return peer.is_open();
  });
  peer.end_writing();
  run_until([&] {
    peer.exchange();
    return peer.saw_end();
  });
  run_until([&] { return server_->connection_count() == 0; });
  EXPECT_EQ(failed_handshakes(), 0u);
}

TEST(TlsServerContext, SaysWhatIsWrongWithItsFiles) {
  const TlsFiles files;
  EXPECT_THAT(make_tls_server_context({files.certificate(), {}, {}}).error().detail,
              HasSubstr("go together"));
  EXPECT_THAT(make_tls_server_context({"/no/such/file", files.key(), {}}).error().detail,
              HasSubstr("/no/such/file"));
  const PemFile other{make_authority("another").key_pem()};
  EXPECT_THAT(make_tls_server_context({files.certificate(), other.path(), {}}).error().detail,
              HasSubstr(files.certificate()));
}

}  // namespace
}  // namespace concerto::net::test
