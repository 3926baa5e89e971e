// A bank like the Go program's, on the same tables, with the barriers for C++. It serves branches
// over HTTP, and can start a msg, XA, or a workflow.
#include <cstdlib>
#include <iostream>
#include <latch>
#include <mutex>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <concerto/barrier/branch_answer.hpp>

#include "branch.hpp"
#include "coordinator.hpp"

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using concerto::Result;

Changes changes_of(const std::string& op, std::int64_t amount) {
  if (op == "try") return {.balance = 0, .trading = amount};
  if (op == "confirm") return {.balance = amount, .trading = -amount};
  if (op == "cancel") return {.balance = 0, .trading = -amount};
  if (op == "compensate") return {.balance = -amount, .trading = 0};
  return {.balance = amount, .trading = 0};
}

namespace {

/// Both lines of a request are printed as the Go program does.
void print(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

Xa xa_of(const Options& options) {
  const int port = std::stoi(options.at("-db-port"));
  const auto on = options.at("-driver") == "mysql" ? xa_on_mysql : xa_on_postgres;
  return [port, on](concerto::Barrier& barrier, const Order& order, const Step& last) {
    return on(barrier, order, port, last);
  };
}

Result<> handle(concerto::Barrier& barrier, const std::string& target, const Order& order,
                const Options& options) {
  const int port = std::stoi(options.at("-db-port"));
  const bool is_mysql = options.at("-driver") == "mysql";
  if (barrier.trans_type() == "xa") {
    return xa_of(options)(barrier, order, [&] { return register_branch(target, options); });
  }
  return is_mysql ? handle_on_mysql(target, order, port) : handle_on_postgres(target, order, port);
}

std::latch released{1};

/// Waits for the test if it holds this point.
void reach(const std::string& point, const Options& options) {
  if (options.at("-hold") != point) return;
  print("holding " + point);
  released.wait();
}

Result<> start_msg(const boost::json::value& transaction, const Options& options) {
  const Order order = order_of(transaction.at("local"));
  return run_msg(transaction, options.at("-dtm-http"), [&] {
    auto barrier = concerto::Barrier::from(
        {"msg", boost::json::value_to<std::string>(transaction.at("gid")), "00", "msg"});
    const int port = std::stoi(options.at("-db-port"));
    reach("local:begin", options);
    const Result<> done = options.at("-driver") == "mysql"
                              ? work_on_mysql(*barrier, order, port)
                              : work_on_postgres(*barrier, order, port);
    reach("submit", options);
    return done;
  });
}

void start(const Options& options) {
  const auto transaction = boost::json::parse(options.at("-run"));
  const auto mode = boost::json::value_to<std::string>(transaction.at("mode"));
  const std::string& coordinator = options.at("-dtm-http");
  Result<> result;
  if (mode == "msg") result = start_msg(transaction, options);
  if (mode == "xa") result = run_xa(transaction, coordinator);
  if (mode == "workflow") result = run_workflow(transaction, coordinator, xa_of(options));
  print("result: " + (result ? "ok" : result.error().detail));
}

Result<> answer(const http::request<http::string_body>& request, const Options& options) {
  const std::string target(request.target());
  if (target == "/release") {
    released.count_down();
    return concerto::ok();
  }
  auto barrier = concerto::Barrier::from_request(request);
  if (!barrier) return barrier.error();
  Order order;
  if (!request.body().empty()) order = order_of(boost::json::parse(request.body()));
  const std::string call = barrier->gid() + " " + barrier->branch_id() + ":" + barrier->op();
  print("called " + call);
  const Result<> result = handle(*barrier, target, order, options);
  print("answered " + call + ": " + (result ? "ok" : result.error().detail));
  return result;
}

void serve(tcp::socket socket, const Options& options) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code failed;
  for (;;) {
    http::request<http::string_body> request;
    http::read(socket, buffer, request, failed);
    if (failed) return;
    const auto response =
        concerto::branch_answer<http::response<http::string_body>>(answer(request, options));
    http::write(socket, response, failed);
    if (failed) return;
  }
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
  const std::string& at = options.at("-http");
  const int port = std::stoi(at.substr(at.find(':') + 1));
  boost::asio::io_context io;
  tcp::acceptor acceptor(
      io, {boost::asio::ip::address_v4::loopback(), static_cast<boost::asio::ip::port_type>(port)});
  print("ready");
  if (options.contains("-run")) std::thread(start, std::cref(options)).detach();
  for (;;) {
    std::thread([socket = acceptor.accept(), &options]() mutable {
      serve(std::move(socket), options);
    }).detach();
  }
}
