#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <concerto/client/client.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "await_result.hpp"

namespace concerto::client {

/// Records requests, and answers 200 unless a test says otherwise.
class ClientWire : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(listener_.listen({asio::ip::make_address("127.0.0.1"), 0}));
    host_ = "http://127.0.0.1:" + std::to_string(listener_.address().port());
  }

  void TearDown() override {
    listener_.close();
    run(server_.drain(timers_.now() + std::chrono::seconds(1)));
  }

  Task<net::HttpResponse> serve(net::HttpRequest request) {
    std::string line = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) line += " " + name + "=" + value;
    lines_.push_back(std::move(line));
    bodies_.push_back(request.body);
    tokens_.emplace_back(request.headers.find("Authorization").value_or(""));
    types_.emplace_back(request.headers.find("Content-Type").value_or(""));
    const auto script = answers_.find(request.path);
    co_return script == answers_.end() ? net::json_response(200, R"({"dtm_result":"SUCCESS"})")
                                       : script->second;
  }

  static Task<bool> then_true(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
  void run(Task<void> task) { test::await_result(io_, then_true(std::move(task))); }

  template <class T>
  Result<T> await(Async<T> operation) {
    Result<T> result = test::await_result(io_, std::move(operation));
    run(client_->close());
    return result;
  }

  Client& client(ClientOptions options = ClientOptions{}) {
    client_.emplace(io_.get_executor(), host_ + "/api/dtmsvr", std::move(options));
    return *client_;
  }

  boost::json::value body(std::size_t index) const { return boost::json::parse(bodies_.at(index)); }

  asio::io_context io_{1};
  net::SystemClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  std::map<std::string, net::HttpResponse> answers_;
  std::vector<std::string> lines_;
  std::vector<std::string> bodies_;
  std::vector<std::string> tokens_;
  std::vector<std::string> types_;
  net::HttpServer server_{io_.get_executor(), timers_,
                          [this](net::HttpRequest request) { return serve(std::move(request)); }};
  net::Listener listener_{io_.get_executor(), timers_, {&server_}};
  std::string host_;
  std::optional<Client> client_;
};

}  // namespace concerto::client
