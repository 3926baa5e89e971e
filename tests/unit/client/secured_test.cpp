// A coordinator that wants TLS and a token, over HTTP and over gRPC.

#include <gmock/gmock.h>

#include <concerto/client/client.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "await_result.hpp"
#include "test_certificates.hpp"

namespace concerto::client {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;

/// The server's certificate names the address over HTTP, and `b.org` over gRPC.
class Secured : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const net::test::Certificate certificate =
        make_server_certificate(authority_, over_grpc() ? "DNS:b.org" : "IP:127.0.0.1");
    const net::test::PemFile pem{certificate.pem()};
    const net::test::PemFile key{certificate.key_pem()};
    const auto tls = net::make_tls_server_context({pem.path(), key.path(), {}});
    ASSERT_TRUE(tls) << tls.error().detail;
    http_options_.tls = *tls;
    grpc_options_.tls = *tls;
    http_.emplace(
        io_.get_executor(), timers_,
        [this](net::HttpRequest request) { return serve(std::move(request)); }, http_options_);
    grpc_.emplace(io_.get_executor(), timers_, grpc_options_);
    for (const char* method : {"/dtmgimp.Dtm/Submit", "/dtmgimp.Dtm/Prepare"}) {
      grpc_->add_unary(method,
                       [this](net::GrpcRequest request) { return serve(std::move(request)); });
    }
    net::ConnectionServer& server = over_grpc() ? static_cast<net::ConnectionServer&>(*grpc_)
                                                : static_cast<net::ConnectionServer&>(*http_);
    listener_.emplace(io_.get_executor(), timers_, std::vector<net::ConnectionServer*>{&server});
    ASSERT_TRUE(listener_->listen({asio::ip::make_address("127.0.0.1"), 0}));
  }

  void TearDown() override {
    listener_->close();
    test::await_result(io_, drain());
  }

  Task<bool> drain() {
    co_await http_->drain(timers_.now());
    co_await grpc_->drain(timers_.now());
    co_return true;
  }

  bool over_grpc() const { return std::string_view{GetParam()} == "grpc"; }

  Task<net::HttpResponse> serve(net::HttpRequest request) {
    tokens_.emplace_back(request.headers.find("Authorization").value_or(""));
    co_return net::json_response(200, "{}");
  }

  Task<net::GrpcReply> serve(net::GrpcRequest request) {
    tokens_.emplace_back(request.metadata.find("authorization").value_or(""));
    co_return net::GrpcReply::success({});
  }

  static ClientOptions secured(const net::test::Certificate& authority) {
    const net::test::PemFile pem{authority.pem()};
    ClientOptions options;
    options.tls = net::make_tls_client_context({pem.path(), {}, {}}).value();
    options.grpc_tls_host = "b.org";
    options.token = "secret";
    return options;
  }

  Result<> submit(ClientOptions options) {
    const std::string host = "127.0.0.1:" + std::to_string(listener_->address().port());
    Client client{io_.get_executor(), over_grpc() ? host : "https://" + host + "/api/dtmsvr",
                  std::move(options)};
    return test::await_result(io_, submit_and_close(client));
  }

  static Async<> submit_and_close(Client& client) {
    Xa xa = client.xa("g");
    Result<> done = co_await xa.prepare();
    if (done) done = co_await xa.submit();
    co_await client.close();
    co_return done;
  }

  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  const net::test::Certificate authority_ = net::test::make_authority("test authority");
  net::HttpServerOptions http_options_;
  net::GrpcServerOptions grpc_options_;
  std::vector<std::string> tokens_;
  std::optional<net::HttpServer> http_;
  std::optional<net::GrpcServer> grpc_;
  std::optional<net::Listener> listener_;
};

INSTANTIATE_TEST_SUITE_P(Over, Secured, testing::Values("http", "grpc"),
                         [](const auto& row) { return std::string{row.param}; });

TEST_P(Secured, EachRequestHasTheToken) {
  const Result<> done = submit(secured(authority_));
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_THAT(tokens_, testing::AllOf(SizeIs(2), Each("Bearer secret")));
}

TEST_P(Secured, NothingIsSentToAStranger) {
  const Result<> done = submit(secured(net::test::make_authority("another authority")));
  EXPECT_EQ(done.error().code, ClientErrc::try_later) << done.error().detail;
  EXPECT_THAT(tokens_, IsEmpty());
}

}  // namespace
}  // namespace concerto::client
