// Headers of the PROXY protocol: how they are read, and who may send them.

#include <sstream>

#include <gmock/gmock.h>

#include "../proxy_lines.hpp"
#include "../tls_files.hpp"
#include "client_fixture.hpp"
#include "proxy_header.hpp"

namespace concerto::net::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return std::move(text).str();
}

struct HeaderCase {
  const char* name;
  std::string bytes;
  std::string want;  // the client; `own`: that of the connection; otherwise a part of the error
};
void PrintTo(const HeaderCase& row, std::ostream* out) {
  *out << row.name;
}

class ProxyHeader : public testing::TestWithParam<HeaderCase> {
 protected:
  /// Gives the reader at most `step` bytes at a time.
  static std::string read(std::string_view bytes, std::size_t step) {
    ProxyHeaderReader reader;
    while (reader.wanted() > 0) {
      const auto part = bytes.substr(0, std::min(step, reader.wanted()));
      if (part.empty()) return "incomplete";
      const auto taken = reader.take(part);
      if (!taken) return taken.error().detail;
      bytes.remove_prefix(part.size());
    }
    if (!bytes.empty()) return "bytes are left";
    return reader.client() ? text_of(*reader.client()) : "own";
  }
};

TEST_P(ProxyHeader, NamesTheClientOrIsRefused) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}}) {
    EXPECT_THAT(read(GetParam().bytes, step), HasSubstr(GetParam().want)) << step;
  }
}

const std::string of_ipv6 = std::string{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16} +
                            std::string(15, '\0') + std::string{"\1\xc8\x22\x01\xbb", 5};

INSTANTIATE_TEST_SUITE_P(
    Headers, ProxyHeader,
    testing::Values(
        HeaderCase{"TcpOverIpv4", proxy_header_of_client(), "203.0.113.9:51234"},
        HeaderCase{"TcpOverIpv6", proxy_header(0x21, 0x21, of_ipv6), "[2001:db8::7]:51234"},
        HeaderCase{"WithFurtherFields", proxy_header_of_client(std::string(400, 'x')),
                   "203.0.113.9:51234"},
        HeaderCase{"Local", proxy_header(0x20, 0x00, ""), "own"},
        HeaderCase{"LocalWithAddresses", proxy_header(0x20, 0x11, std::string(12, '\1')), "own"},
        HeaderCase{"Unspecified", proxy_header(0x21, 0x00, "xyz"), "own"},
        HeaderCase{"OfTheLargestSize", proxy_header_of_client(std::string(508, 'x')),
                   "203.0.113.9:51234"},
        HeaderCase{"TooLarge", proxy_header_of_client(std::string(509, 'x')), "it has 537 bytes"},
        HeaderCase{"CutOffIpv4", proxy_header(0x21, 0x11, std::string(11, '\1')), "cut off"},
        HeaderCase{"CutOffIpv6", proxy_header(0x21, 0x21, std::string(35, '\1')), "cut off"},
        HeaderCase{"OfUdp", proxy_header(0x21, 0x12, std::string(12, '\1')), "not of TCP"},
        HeaderCase{"OfUnix", proxy_header(0x21, 0x31, std::string(216, '\1')), "not of TCP"},
        HeaderCase{"OfAnotherVersion", proxy_header(0x31, 0x11, std::string(12, '\1')), "version"},
        HeaderCase{"OfAnUnknownCommand", proxy_header(0x22, 0x11, std::string(12, '\1')),
                   "command"},
        HeaderCase{"Version1", "PROXY TCP4 203.0.113.9 10.0.0.1 51234 443\r\n", "PROXY protocol"},
        HeaderCase{"None", "GET / HTTP/1.1\r\nHost: b\r\n", "does not begin"},
        HeaderCase{"AWrongEnd", std::string{"\r\n\r\n\0\r\nQUIT\r!!!!", 16}, "does not begin"}),
    [](const auto& row) { return row.param.name; });

Task<HttpResponse> name_the_peer(HttpRequest request) {
  co_return text_response(200, "peer " + request.peer.address().to_string());
}

const std::string get_peer = "GET /peer HTTP/1.1\r\nHost: b\r\n\r\n";

class ProxyGreeting : public ClientTest {
 protected:
  void SetUp() override {
    ClientTest::SetUp();
    router_.add("GET", "/peer", name_the_peer);
    resolver_.hosts["b.org"] = {asio::ip::address_v4::loopback()};
  }

  void serve_proxies(const char* proxies, HttpServerOptions options = {}) {
    server_ = std::make_unique<HttpServer>(executor(), timers_, router_.handler(), options);
    listener_ = std::make_unique<Listener>(executor(), timers_,
                                           std::vector<ConnectionServer*>{server_.get()});
    const auto set = AddressSet::parse(proxies);
    ASSERT_TRUE(set);
    listener_->expect_proxies(
        {*set, 10s, "HTTP", [this](const std::string& text) { said_.push_back(text); }});
    ASSERT_TRUE(listener_->listen(loopback()));
  }

  void expect_closed(RawPeer& peer) {
    run_until([&] { return peer.saw_end(); });
    EXPECT_EQ(peer.received(), "");
    EXPECT_EQ(server_->connection_count(), 0u);
  }

  std::vector<std::string> said_;
};

TEST_F(ProxyGreeting, NamesTheClientOfTheConnection) {
  serve_proxies("127.0.0.0/8");
  RawPeer& peer = connect();
  peer.send(proxy_header_of_client("tlv") + get_peer);
  run_until_received(peer, "peer 203.0.113.9");
  peer.send(get_peer);
  run_until([&] { return server_->probe().request_count == 2; });
}

TEST_F(ProxyGreeting, MayComeInPieces) {
  serve_proxies("127.0.0.1");
  RawPeer& peer = connect();
  for (const char byte : proxy_header_of_client()) {
    peer.send({&byte, 1});
    for (int i = 0; i < 3; ++i) poll();
  }
  peer.send(get_peer);
  run_until_received(peer, "peer 203.0.113.9");
}

TEST_F(ProxyGreeting, OfTheProxyItselfLeavesItsAddress) {
  serve_proxies("127.0.0.1");
  RawPeer& peer = connect();
  peer.send(proxy_header(0x20, 0, "") + get_peer);
  run_until_received(peer, "peer 127.0.0.1");
}

TEST_F(ProxyGreeting, OfSomebodyElseIsNeverRead) {
  serve_proxies("10.0.0.0/8");
  RawPeer& peer = connect();
  peer.send(proxy_header_of_client() + get_peer);
  run_until_received(peer, "HTTP/1.1 400 ");
  RawPeer& honest = connect();
  honest.send(get_peer);
  run_until_received(honest, "peer 127.0.0.1");
  EXPECT_TRUE(said_.empty());
}

TEST_F(ProxyGreeting, IsMissedAndTheLogSaysSoOnceAMinute) {
  serve_proxies("127.0.0.1");
  for (int i = 0; i < 2; ++i) {
    RawPeer& peer = connect();
    peer.send(get_peer);
    expect_closed(peer);
  }
  advance(61s);
  RawPeer& peer = connect();
  peer.send("PROXY TCP4 203.0.113.9 10.0.0.1 51234 443\r\n");
  expect_closed(peer);
  EXPECT_THAT(said_, ElementsAre(HasSubstr(" line: 1; the last one of 127.0.0.1:"),
                                 testing::AllOf(HasSubstr(" line: 2; "), HasSubstr("version 1"))));
}

TEST_F(ProxyGreeting, HasToBeCompleteInTime) {
  serve_proxies("127.0.0.1");
  RawPeer& silent = connect();
  RawPeer& slow = connect();
  slow.send(proxy_header_of_client().substr(0, 20));
  for (int i = 0; i < 10; ++i) poll();
  advance(9'999ms);
  for (int i = 0; i < 10; ++i) poll();
  EXPECT_FALSE(slow.saw_end());
  advance(1ms);
  expect_closed(silent);
  expect_closed(slow);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("not complete in time")));
}

TEST_F(ProxyGreeting, OfACheckThatOnlyConnectsIsNoFault) {
  serve_proxies("127.0.0.1");
  RawPeer& check = connect();
  check.shutdown_send();
  expect_closed(check);
  EXPECT_TRUE(said_.empty());
}

TEST_F(ProxyGreeting, EndsWithTheListener) {
  serve_proxies("127.0.0.1");
  RawPeer& peer = connect();
  for (int i = 0; i < 10; ++i) poll();
  listener_->close();
  expect_closed(peer);
}

TEST_F(ProxyGreeting, ComesBeforeTls) {
  const TlsFiles files;
  HttpServerOptions options;
  options.tls = files.server();
  serve_proxies("127.0.0.1", options);
  TlsPeer peer{executor(), listener_->address(), files.client(), Alpn::http_1_1,
               proxy_header_of_client()};
  run_until([&] {
    peer.exchange();
    return peer.is_open();
  });
  peer.write(get_peer);
  run_until([&] {
    peer.exchange();
    return peer.received().find("peer 203.0.113.9") != std::string::npos;
  });
}

}  // namespace
}  // namespace concerto::net::test
