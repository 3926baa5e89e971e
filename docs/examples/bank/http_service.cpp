#include "http_service.hpp"

#include <charconv>
#include <exception>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <concerto/barrier/branch_answer.hpp>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using concerto::Barrier;
using concerto::Result;

namespace {

constexpr auto use_tuple = asio::as_tuple(concerto::use_task);

/// `/Ann?gid=..` is the account Ann.
std::string account_of(std::string_view target) {
  return std::string(target.substr(1, target.find('?') - 1));
}

}  // namespace

HttpService::HttpService(std::unique_ptr<Bank> bank)
    : bank_(std::move(bank)), acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  tasks_.spawn(accept());
  thread_ = std::thread([this] { io_.run(); });
}

HttpService::~HttpService() {
  io_.stop();
  thread_.join();
  io_.restart();
}

std::string HttpService::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

Result<> HttpService::handle(const Request& request) {
  auto barrier = Barrier::from_request(request);
  if (!barrier) return barrier.error();
  if (barrier->op() == "msg") return bank_->query_prepared(*barrier);
  const std::string& body = request.body();
  int amount = 0;
  const auto read = std::from_chars(body.data(), body.data() + body.size(), amount);
  if (read.ec != std::errc{}) {
    return make_error(concerto::Errc::invalid_request, "the body is no amount");
  }
  if (barrier->op() == "compensate") amount = -amount;
  return bank_->add(*barrier, account_of(request.target()), amount);
}

concerto::Task<void> HttpService::serve(Socket socket) {
  boost::beast::flat_buffer buffer;
  for (bool keep_alive = true; keep_alive;) {
    Request request;
    const auto [failed, size] = co_await http::async_read(socket, buffer, request, use_tuple);
    if (failed) co_return;
    auto answer = concerto::branch_answer<http::response<http::string_body>>(handle(request));
    keep_alive = request.keep_alive();
    answer.keep_alive(keep_alive);
    const auto [unsent, written] = co_await http::async_write(socket, answer, use_tuple);
    if (unsent) co_return;
  }
}

concerto::Task<void> HttpService::accept() {
  for (;;) {
    auto [failed, socket] = co_await acceptor_.async_accept(use_tuple);
    if (failed) co_return;
    tasks_.spawn(serve(std::move(socket)));
  }
}
