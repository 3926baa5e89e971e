#include <cstdio>
#include <fstream>

#include <boost/asio/ssl/stream.hpp>
#include <gmock/gmock.h>

#include <concerto/transport/http_tls.hpp>

#include "client_fixture.hpp"
#include "test_certificates.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A file that is removed at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(testing::TempDir() + "concerto_http_ca_" +
              std::to_string(testing::UnitTest::GetInstance()->random_seed()) + "_" +
              std::to_string(::getpid())) {
    std::ofstream{path_} << text;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Serves TLS on each connection: answers every request with `hello over TLS`.
class TlsServer {
 public:
  TlsServer(Executor executor, const Certificate& certificate)
      : context_(asio::ssl::context::tls_server), acceptor_(executor, loopback()) {
    SSL_CTX_use_certificate(context_.native_handle(), certificate.x509.get());
    SSL_CTX_use_PrivateKey(context_.native_handle(), certificate.key.get());
    accept();
  }

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  const std::string& server_name() const { return server_name_; }
  const std::string& received() const { return received_; }
  int handshakes() const { return handshakes_; }

  /// If set, a connection ends inside an answer, without a closing alert.
  bool cuts_answers = false;

 private:
  using Stream = asio::ssl::stream<TestSocket>;

  void accept() {
    acceptor_.async_accept([this](const error_code& error, TestSocket socket) {
      if (error) return;
      start(std::move(socket));
      accept();
    });
  }

  void start(TestSocket socket) {
    const auto stream = std::make_shared<Stream>(std::move(socket), context_);
    stream->async_handshake(Stream::server, [this, stream](const error_code& error) {
      if (error) return;
      ++handshakes_;
      const char* name = SSL_get_servername(stream->native_handle(), TLSEXT_NAMETYPE_host_name);
      server_name_ = name ? name : "";
      read(stream);
    });
  }

  void read(const std::shared_ptr<Stream>& stream) {
    stream->async_read_some(asio::buffer(chunk_),
                            [this, stream](const error_code& error, std::size_t bytes) {
                              if (error) return;
                              received_.append(chunk_, bytes);
                              answer(stream);
                            });
  }

  void answer(const std::shared_ptr<Stream>& stream) {
    text_ = cuts_answers ? "HTTP/1.1 200 OK\r\n\r\nhello"
                         : "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nhello over TLS";
    asio::async_write(*stream, asio::buffer(text_),
                      [this, stream](const error_code& error, std::size_t) {
                        if (!error && !cuts_answers) read(stream);
                      });
  }

  asio::ssl::context context_;
  asio::basic_socket_acceptor<tcp, Executor> acceptor_;
  char chunk_[4096] = {};
  std::string text_;
  std::string received_;
  std::string server_name_;
  int handshakes_ = 0;
};

class HttpClientTls : public ClientTest {
 protected:
  void SetUp() override {
    ClientTest::SetUp();
    resolver_.hosts["b.org"] = {asio::ip::address_v4::loopback()};
    resolver_.hosts["c.org"] = {asio::ip::address_v4::loopback()};
  }

  void trust(const Certificate& authority, HttpProxyRules proxies = {}) {
    const TemporaryFile file{authority.pem()};
    const auto tls = make_tls_client_context({file.path(), {}, {}});
    ASSERT_TRUE(tls) << tls.error().detail;
    make_client({}, std::move(proxies), *tls);
  }

  Certificate authority_ = make_authority("test authority");
};

TEST_F(HttpClientTls, VerifiesNewConnectionsWithNewCertificates) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  const Certificate other = make_authority("another authority");
  trust(other);
  EXPECT_FALSE(get("https://b.org:" + server.port() + "/"));
  const TemporaryFile file{authority_.pem()};
  const auto fresh = make_tls_client_context({file.path(), {}, {}});
  ASSERT_TRUE(fresh) << fresh.error().detail;
  client_->set_tls(*fresh);
  const auto answer = get("https://b.org:" + server.port() + "/");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "hello over TLS");
}

TEST_F(HttpClientTls, TalksToACertifiedServer) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  trust(authority_);
  for (int i = 0; i < 3; ++i) {
    const auto answer = get("https://b.org:" + server.port() + "/x");
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "hello over TLS");
  }
  EXPECT_EQ(server.handshakes(), 1);
  EXPECT_EQ(server.server_name(), "b.org");
  EXPECT_THAT(server.received(), StartsWith("GET /x HTTP/1.1\r\nHost: b.org:" + server.port()));
}

TEST_F(HttpClientTls, TalksToACertifiedAddress) {
  TlsServer server{executor(), make_server_certificate(authority_, "IP:127.0.0.1")};
  trust(authority_);
  const auto answer = get("https://127.0.0.1:" + server.port() + "/");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(server.server_name(), "");
}

TEST_F(HttpClientTls, SendsALargeBody) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  trust(authority_);
  const std::string body(3000, 'b');
  const auto answer = finish(start_post("https://b.org:" + server.port() + "/", body));
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_THAT(server.received(), HasSubstr("\r\n\r\n" + body));
}

TEST_F(HttpClientTls, RefusesTheWrongHost) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  trust(authority_);
  const auto answer = get("https://c.org:" + server.port() + "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, HttpErrc::tls_failed) << answer.error().detail;
  EXPECT_EQ(server.received(), "");
}

TEST_F(HttpClientTls, RefusesAnUnknownAuthority) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  trust(make_authority("another"));
  const auto answer = get("https://b.org:" + server.port() + "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, HttpErrc::tls_failed);
  EXPECT_THAT(answer.error().detail, HasSubstr("certificate"));
  EXPECT_EQ(server.received(), "");
}

TEST_F(HttpClientTls, RefusesAServerThatDoesNotSpeakTls) {
  ScriptedServer server{executor()};
  trust(authority_);
  const auto answer = start_get("https://b.org:" + server.port() + "/");
  run_until([&] { return server.size() == 1 && !server[0].received().empty(); });
  server[0].send("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(finish(answer).error().code, HttpErrc::tls_failed);
}

TEST_F(HttpClientTls, EndsAtItsDeadlineInTheHandshake) {
  ScriptedServer server{executor()};
  trust(authority_);
  const auto answer = start_get("https://b.org:" + server.port() + "/");
  run_until([&] { return server.size() == 1 && !server[0].received().empty(); });
  advance(std::chrono::seconds{3});
  EXPECT_EQ(finish(answer).error().code, HttpErrc::timed_out_unsent);
}

TEST_F(HttpClientTls, TakesAMissingClosingAlertForACutAnswer) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:b.org")};
  server.cuts_answers = true;
  trust(authority_);
  const auto answer = get("https://b.org:" + server.port() + "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, HttpErrc::connection_lost);
}

TEST_F(HttpClientTls, SaysWhichFileIsNoCertificate) {
  const TemporaryFile file{"no certificate"};
  const auto context = make_tls_client_context({file.path(), {}, {}});
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error().detail, HasSubstr(file.path()));
}

HttpProxyRules proxy_at(const std::string& port) {
  auto rules = HttpProxyRules::make("u:p@127.0.0.1:" + port, "u:p@127.0.0.1:" + port, "c.org");
  EXPECT_TRUE(rules);
  return std::move(*rules);
}

class HttpClientProxy : public HttpClientTls {};

TEST_F(HttpClientProxy, GetsPlainRequestsWithTheWholeUrl) {
  ScriptedServer proxy{executor()};
  make_client({}, proxy_at(proxy.port()));
  const auto answer = start_get("http://far.org/a?b");
  run_until([&] { return proxy.size() == 1 && proxy[0].has("\r\n\r\n"); });
  EXPECT_THAT(proxy[0].received(),
              StartsWith("GET http://far.org/a?b HTTP/1.1\r\nHost: far.org\r\n"));
  EXPECT_THAT(proxy[0].received(), HasSubstr("\r\nProxy-Authorization: Basic dTpw\r\n"));
  proxy[0].send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
  EXPECT_EQ(finish(answer)->body, "a");

  const auto other = start_get("http://other.org/");
  proxy[0].forget_received();
  run_until([&] { return proxy[0].has("http://other.org/ "); });
  proxy[0].send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
  EXPECT_EQ(finish(other)->body, "b");
  EXPECT_EQ(proxy.size(), 1U);
}

TEST_F(HttpClientProxy, IsNotUsedForExceptions) {
  ScriptedServer proxy{executor()}, server{executor()};
  make_client({}, proxy_at(proxy.port()));
  const auto answer = start_get("http://c.org:" + server.port() + "/a");
  run_until([&] { return server.size() == 1 && server[0].has("GET /a HTTP/1.1\r\n"); });
  EXPECT_EQ(proxy.size(), 0U);
}

/// Copies bytes from one side of a tunnel to the other.
void relay(RawPeer& from, RawPeer& to) {
  const std::string bytes = from.received();
  from.forget_received();
  if (!bytes.empty()) to.send(bytes);
}

TEST_F(HttpClientProxy, TunnelsTls) {
  TlsServer server{executor(), make_server_certificate(authority_, "DNS:far.org")};
  ScriptedServer proxy{executor()};
  trust(authority_, proxy_at(proxy.port()));
  const auto answer = start_get("https://far.org/secret");
  run_until([&] { return proxy.size() == 1 && proxy[0].has("\r\n\r\n"); });
  EXPECT_EQ(proxy[0].received(),
            "CONNECT far.org:443 HTTP/1.1\r\nHost: far.org:443\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
  proxy[0].forget_received();
  RawPeer upstream{executor()};
  upstream.connect(loopback(static_cast<unsigned short>(std::stoi(server.port()))));
  proxy[0].send("HTTP/1.1 200 Connection established\r\n\r\n");
  run_until([&] {
    relay(proxy[0], upstream);
    relay(upstream, proxy[0]);
    return answer->has_value();
  });
  const Answer result = finish(answer);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->body, "hello over TLS");
  EXPECT_THAT(server.received(), StartsWith("GET /secret HTTP/1.1\r\nHost: far.org\r\n"));
  EXPECT_THAT(server.received(), testing::Not(HasSubstr("Proxy-Authorization")));
}

TEST_F(HttpClientProxy, RefusingTheTunnelIsAnErrorOfTheProxy) {
  ScriptedServer proxy{executor()};
  trust(authority_, proxy_at(proxy.port()));
  const auto answer = start_get("https://far.org/");
  run_until([&] { return proxy.size() == 1 && proxy[0].has("\r\n\r\n"); });
  proxy[0].send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 5\r\n\r\nsorry");
  const Answer result = finish(answer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, HttpErrc::proxy_failed);
  EXPECT_THAT(result.error().detail, HasSubstr("407"));
}

}  // namespace
}  // namespace concerto::net::test
