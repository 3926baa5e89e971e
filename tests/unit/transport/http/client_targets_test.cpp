#include <gmock/gmock.h>

#include <concerto/transport/target_guard.hpp>

#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view empty_answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class HttpClientTargets : public ClientTest {
 protected:
  void limit(std::string_view allow, std::string_view deny, HttpProxyRules proxies = {},
             HttpClientOptions options = {}) {
    set(allow, deny);
    options.targets = &guard_;
    make_client(options, std::move(proxies));
  }

  void set(std::string_view allow, std::string_view deny) {
    auto policy = TargetPolicy::make(allow, deny);
    ASSERT_TRUE(policy) << policy.error().detail;
    guard_.set(std::move(*policy));
  }

  /// `why` is told to operators alone.
  void expect_refused(const Answer& answer, const std::string& why) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, HttpErrc::target_refused);
    EXPECT_THAT(answer.error().detail, HasSubstr("refuse"));
    EXPECT_THAT(answer.error().detail, Not(HasSubstr(why)));
    EXPECT_THAT(told_, HasSubstr(why));
  }

  std::string named_url(const std::string& name, const std::string& path = "/a") {
    return "http://" + name + ":" + server_.port() + path;
  }

  /// Waits for request number `index`, and answers it.
  void answer(std::size_t index, std::string_view text) {
    run_until([&] { return server_.size() > index && server_[index].has("\r\n\r\n"); });
    server_[index].forget_received();
    server_[index].send(text);
  }

  std::string told_;  ///< why the last target was refused
  TargetGuard guard_{TargetPolicy(), [this](const std::string& why) { told_ = why; }};
  ScriptedServer server_{executor()};
  const HostAddressList here_{asio::ip::make_address("127.0.0.1")};
  const HostAddressList beside_{asio::ip::make_address("127.0.0.2")};
};

TEST_F(HttpClientTargets, AreRefusedBeforeTheLookUp) {
  limit("", "b.org, loopback");
  expect_refused(get("http://b.org/"), "TargetDeny has 'b.org'");
  expect_refused(get("http://u:p@0x7f.1/"), "http://0x7f.1:80 is refused: ");
  expect_refused(get("http://[::ffff:127.0.0.1]/"), "TargetDeny has 'loopback'");
  EXPECT_EQ(resolver_.asked, 0);
}

TEST_F(HttpClientTargets, AreRefusedByTheirAddresses) {
  limit("", "loopback");
  resolver_.hosts["b.org"] = here_;
  expect_refused(get(named_url("b.org")),
                 "TargetDeny has the address 127.0.0.1 of its name: 'loopback'");
  poll();
  EXPECT_EQ(server_.size(), 0U);
}

TEST_F(HttpClientTargets, AreCalledAtAddressesThatAreAllowed) {
  limit("", "127.0.0.2");
  resolver_.hosts["b.org"] = {beside_[0], here_[0]};
  const auto called = start_get(named_url("b.org"));
  answer(0, empty_answer);
  EXPECT_TRUE(finish(called));
}

TEST_F(HttpClientTargets, ThatWereRedirectedToAreChecked) {
  limit("", "link-local, 127.0.0.2");
  resolver_.hosts["b.org"] = beside_;
  for (const std::string& to : {std::string("http://169.254.169.254/latest"), named_url("b.org")}) {
    const auto called = start_get(named_url("127.0.0.1"));
    answer(0, "HTTP/1.1 307 T\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n");
    const Answer refused = finish(called);
    expect_refused(refused, "is refused: TargetDeny has");
    EXPECT_EQ(refused.error().detail,
              "redirected to a target that TargetAllow or TargetDeny refuses");
  }
}

TEST_F(HttpClientTargets, ThatChangeTheirAddressesAreCheckedAgain) {
  limit("", "127.0.0.2");
  resolver_.hosts["b.org"] = here_;
  const auto first = start_get(named_url("b.org"));
  answer(0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(finish(first));
  resolver_.hosts["b.org"] = beside_;
  expect_refused(get(named_url("b.org")), "TargetDeny has the address 127.0.0.2 of its name");
}

TEST_F(HttpClientTargets, LoseTheirConnectionsToAnotherPolicy) {
  limit("", "");
  const auto first = start_get(named_url("127.0.0.1"));
  answer(0, empty_answer);
  EXPECT_TRUE(finish(first));
  EXPECT_EQ(client_->idle_connection_count(), 1U);
  set("", "loopback");
  expect_refused(get(named_url("127.0.0.1")), "TargetDeny has 'loopback'");
  set("", "");
  const auto second = start_get(named_url("127.0.0.1"));
  answer(1, empty_answer);
  EXPECT_TRUE(finish(second));
}

TEST_F(HttpClientTargets, LoseIdleConnectionsToAnotherPolicyAtOnce) {
  limit("", "");
  const auto called = start_get(named_url("127.0.0.1"));
  answer(0, empty_answer);
  EXPECT_TRUE(finish(called));
  client_->targets_changed();
  EXPECT_EQ(client_->idle_connection_count(), 1U) << "it is the same policy";
  set("", "b.org");
  client_->targets_changed();
  EXPECT_EQ(client_->idle_connection_count(), 0U);
}

TEST_F(HttpClientTargets, AreCheckedByThePolicyAfterTheLookUp) {
  limit("", "");
  resolver_.hosts["b.org"] = here_;
  resolver_.meanwhile = [this] { set("", "loopback"); };
  expect_refused(get(named_url("b.org")), "TargetDeny has the address 127.0.0.1 of its name");
  poll();
  EXPECT_EQ(server_.size(), 0U);
}

TEST_F(HttpClientTargets, AreCheckedByThePolicyAfterTheWaitForAConnection) {
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  limit("", "", {}, options);
  const auto first = start_get(named_url("127.0.0.1"));
  run_until([&] { return server_.size() == 1 && server_[0].has("\r\n\r\n"); });
  const auto second = start_get(named_url("127.0.0.1"));
  poll();
  set("", "loopback");
  answer(0, empty_answer);
  EXPECT_TRUE(finish(first)) << "it was sent before";
  expect_refused(finish(second), "TargetDeny has 'loopback'");
  EXPECT_EQ(client_->idle_connection_count(), 0U);
}

TEST_F(HttpClientTargets, HaveHostFieldsThatThePolicyAllows) {
  limit("b.org, *.c.org:" + server_.port() + ", 127.0.0.0/8", "link-local, x.c.org");
  const auto ask = [this](const std::string& host) {
    HttpClientRequest request;
    request.url = named_url("127.0.0.1");
    request.headers.add("Host", host);
    return start(client_->send(std::move(request), in(std::chrono::seconds{3})));
  };
  for (const char* host : {"inside.org", "x.c.org", "169.254.169.254", "a.c.org:1"}) {
    expect_refused(finish(ask(host)), "is refused: Target");
    EXPECT_THAT(told_, HasSubstr(std::string("target http://") + host));
  }
  poll();
  EXPECT_EQ(server_.size(), 0U);
  for (const char* host : {"127.0.0.1", "B.org", "a.c.org", "127.0.0.9:80"}) {
    const auto called = ask(host);
    answer(0, empty_answer);
    EXPECT_TRUE(finish(called)) << host;
  }
  limit("", TargetPolicy::standard_deny);
  const auto called = ask("anything");
  answer(1, empty_answer);
  EXPECT_TRUE(finish(called)) << "by default the Host field is the clients'";
}

TEST_F(HttpClientTargets, BehindAProxyAreCheckedByTheirText) {
  auto proxies = HttpProxyRules::make("127.0.0.1:" + server_.port(), "", "");
  ASSERT_TRUE(proxies);
  limit("b.org, 10.0.0.0/8, loopback", TargetPolicy::standard_deny, std::move(*proxies));
  expect_refused(get("http://2852039166/"), "TargetDeny has 'metadata'");
  expect_refused(get("http://metadata.google.internal/"), "TargetDeny has 'metadata'");
  expect_refused(get("http://a.org/"), "TargetAllow does not have it");
  HttpClientRequest request;
  request.url = "http://b.org/";
  request.headers.add("Host", "169.254.169.254");
  const auto named = start(client_->send(std::move(request), in(std::chrono::seconds{3})));
  expect_refused(finish(named), "target http://169.254.169.254:80 is refused: ");
  EXPECT_EQ(server_.size(), 0U);
  for (const char* url : {"http://b.org/", "http://10.0.0.1/"}) {
    const auto called = start_get(url);
    answer(0, empty_answer);
    EXPECT_TRUE(finish(called)) << url;
  }
  EXPECT_EQ(resolver_.asked, 0) << "the proxy looks names up";
}

TEST_F(HttpClientTargets, HaveAProxyOfTheOperator) {
  auto proxies = HttpProxyRules::make("127.0.0.1:" + server_.port(), "", "");
  ASSERT_TRUE(proxies);
  limit("", "loopback", std::move(*proxies));
  const auto called = start_get("http://b.org/");
  answer(0, empty_answer);
  EXPECT_TRUE(finish(called)) << "the proxy itself is no target";
}

}  // namespace
}  // namespace concerto::net::test
