#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <concerto/base/notifier.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>

#include "shard_fixture.hpp"

namespace concerto::net::test {

/// A server with a few paths, on a free port.
class ServerTest : public ShardTest {
 protected:
  void SetUp() override {
    router_.add("GET", "/hello", [this](HttpRequest request) { return hello(std::move(request)); });
    router_.add("POST", "/echo", [this](HttpRequest request) { return echo(std::move(request)); });
    router_.add("GET", "/wait", [this](HttpRequest request) { return wait(std::move(request)); });
    router_.add("GET", "/throw",
                [this](HttpRequest request) { return throws(std::move(request)); });
    router_.add("GET", "/change", RouteEffect::changes,
                [this](HttpRequest request) { return hello(std::move(request)); });
    router_.add(Router::any_method, "/ping",
                [this](HttpRequest request) { return hello(std::move(request)); });
    router_.add_prefix("DELETE", "/topic/",
                       [this](HttpRequest request) { return path(std::move(request)); });
  }

  void serve(HttpServerOptions options = {}, DescriptorShortage* shortage = nullptr) {
    server_ = std::make_unique<HttpServer>(executor(), timers_, router_.handler(), options);
    listener_ = std::make_unique<Listener>(executor(), timers_,
                                           std::vector<ConnectionServer*>{server_.get()}, shortage);
    ASSERT_TRUE(listener_->listen(loopback()));
  }

  void TearDown() override {
    if (!server_) return;
    listener_->close();
    release_all_ = true;
    released_.notify_all();
    await(server_->drain(timers_.now()));
  }

  RawPeer& connect() {
    peers_.push_back(std::make_unique<RawPeer>(executor()));
    peers_.back()->connect(listener_->address());
    return *peers_.back();
  }

  void run_until_received(RawPeer& peer, std::string_view text) {
    run_until([&] { return peer.has(text); });
  }

  Task<HttpResponse> hello(HttpRequest request) {
    const auto name = request.query_value("name");
    co_return text_response(200, "hello " + std::string{name.value_or("you")});
  }

  Task<HttpResponse> echo(HttpRequest request) {
    co_return json_response(200, std::move(request.body));
  }

  Task<HttpResponse> path(HttpRequest request) {
    co_return text_response(200, std::move(request.path));
  }

  Task<HttpResponse> wait(HttpRequest) {
    ++waiting_;
    if (!release_all_) co_await released_.wait();
    ++waited_;
    co_return text_response(200, "waited " + std::to_string(waited_));
  }

  Task<HttpResponse> throws(HttpRequest request) {
    if (request.method == "GET") throw std::runtime_error("a bug");
    co_return HttpResponse{};
  }

  Task<HttpResponse> split(HttpRequest) {
    HttpResponse response = text_response(200, "");
    response.headers.add("Location", "/a\r\nEvil: 1");
    co_return response;
  }

  Router router_;
  Notifier released_{executor()};
  bool release_all_ = false;
  int waiting_ = 0;
  int waited_ = 0;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

}  // namespace concerto::net::test
