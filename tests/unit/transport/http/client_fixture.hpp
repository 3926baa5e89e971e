#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <concerto/base/notifier.hpp>
#include <concerto/transport/http_client.hpp>

#include "server_fixture.hpp"

namespace concerto::net::test {

/// Knows the names that a test adds. The look-up of `hangs` never ends.
class FakeResolver final : public HostResolver {
 public:
  explicit FakeResolver(Executor executor) : never_(std::move(executor)) {}

  Async<HostAddressList> resolve(std::string host) override {
    ++asked;
    if (meanwhile) meanwhile();
    if (host == "hangs") co_await never_.wait();
    const auto found = hosts.find(host);
    if (found == hosts.end()) {
      co_return Error{asio::error::host_not_found, "lookup " + host + ": host not found"};
    }
    co_return found->second;
  }

  Async<HostAddressList> resolve_while(std::string host,
                                       std::shared_ptr<LookupInterest> interest) override {
    interest->on_lost([this] { ++given_up; });
    return resolve(std::move(host));
  }

  std::map<std::string, HostAddressList> hosts;
  std::function<void()> meanwhile;  ///< called during each look-up
  int asked = 0;
  int given_up = 0;

 private:
  Notifier never_;
};

/// Accepts connections, which the test reads and writes byte by byte.
class ScriptedServer {
 public:
  explicit ScriptedServer(Executor executor, tcp::endpoint at = loopback())
      : acceptor_(executor, at) {
    accept();
  }

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + port() + std::string{path};
  }
  std::size_t size() const { return peers_.size(); }
  RawPeer& operator[](std::size_t index) { return *peers_[index]; }
  void close() { acceptor_.close(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, TestSocket socket) {
      if (error) return;
      peers_.push_back(std::make_unique<RawPeer>(std::move(socket)));
      accept();
    });
  }

  asio::basic_socket_acceptor<tcp, Executor> acceptor_;
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

using Answer = Result<HttpClientResponse>;

class ClientTest : public ServerTest {
 protected:
  void make_client(HttpClientOptions options = {}, HttpProxyRules proxies = {},
                   std::shared_ptr<asio::ssl::context> tls = nullptr) {
    client_ = std::make_unique<HttpClient>(executor(), timers_, resolver_, std::move(tls),
                                           std::move(proxies), options);
  }

  void SetUp() override {
    ServerTest::SetUp();
    make_client();
  }

  void TearDown() override {
    await(client_->close());
    ServerTest::TearDown();
  }

  std::string server_url(std::string_view path) {
    return "http://127.0.0.1:" + std::to_string(listener_->address().port()) + std::string{path};
  }

  SteadyTime in(std::chrono::milliseconds time) { return timers_.now() + time; }

  std::shared_ptr<std::optional<Answer>> start_get(std::string url) {
    HttpClientRequest request;
    request.url = std::move(url);
    return start(client_->send(std::move(request), in(std::chrono::seconds{3})));
  }

  Answer get(std::string url) {
    const auto answer = start_get(std::move(url));
    run_until([&] { return answer->has_value(); });
    return std::move(answer->value());
  }

  std::shared_ptr<std::optional<Answer>> start_post(std::string url, std::string_view body) {
    HttpClientRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.body = body;
    return start(client_->send(std::move(request), in(std::chrono::seconds{3})));
  }

  /// Starts a GET and waits until the scripted server has its request on connection `index`.
  std::shared_ptr<std::optional<Answer>> ask(ScriptedServer& server, std::size_t index) {
    auto answer = start_get(server.url("/a"));
    run_until([&] { return server.size() > index && server[index].has("\r\n\r\n"); });
    return answer;
  }

  Answer finish(const std::shared_ptr<std::optional<Answer>>& answer) {
    run_until([&] { return answer->has_value(); });
    return std::move(answer->value());
  }

  FakeResolver resolver_{executor()};
  std::unique_ptr<HttpClient> client_;
};

}  // namespace concerto::net::test
