// What the bank asks of the coordinator.

#include "coordinator.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <concerto/barrier/barrier_error.hpp>
#include <concerto/client/blocking.hpp>
#include <concerto/transport/percent.hpp>

namespace http = boost::beast::http;
namespace json = boost::json;
using boost::asio::ip::tcp;
using concerto::Async;
using concerto::Result;

namespace {

std::string text(const json::value& object, const char* name) {
  return json::value_to<std::string>(object.at(name));
}

std::string url_of(const std::string& address) {
  return "http://" + address + "/bank";
}

/// POST to an operation of the coordinator `http://127.0.0.1:port/api/dtmsvr`.
Result<> post(const std::string& coordinator, const std::string& operation, std::string body) {
  const auto port_at = coordinator.rfind(':') + 1;
  const auto path_at = coordinator.find('/', port_at);
  const int port = std::stoi(coordinator.substr(port_at, path_at - port_at));
  boost::asio::io_context io;
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
  http::request<http::string_body> request(
      http::verb::post, coordinator.substr(path_at) + "/" + operation, 11, std::move(body));
  request.set(http::field::host, "localhost");
  request.set(http::field::content_type, "application/json");
  request.prepare_payload();
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  http::read(socket, buffer, answer);
  if (answer.result() == http::status::ok) return concerto::ok();
  return make_error(concerto::BarrierErrc::failure, answer.body());
}

Async<> in_a_coroutine(std::function<Result<>()> work) {
  Result<> result = work();
  if (!result && result.error().code == concerto::BarrierErrc::failure) {
    co_return concerto::client::failure(result.error().detail);
  }
  co_return result;
}

}  // namespace

Result<> register_branch(const std::string& target, const Options& options) {
  json::object branch;
  for (const auto& [name, value] :
       concerto::net::decode_query(target.substr(target.find('?') + 1))) {
    branch[name] = value;
  }
  branch["url"] = branch.at("phase2_url");
  return post(options.at("-dtm-http"), "registerBranch", json::serialize(branch));
}

Result<> run_msg(const json::value& transaction, const std::string& coordinator,
                 std::function<Result<>()> work) {
  concerto::client::blocking::Client client{coordinator};
  concerto::client::Msg msg = client->msg(text(transaction, "gid"));
  msg.options.timeout_to_fail =
      std::chrono::seconds(transaction.at("timeout_to_fail").to_number<std::int64_t>());
  for (const json::value& branch : transaction.at("branches").as_array()) {
    const json::object order{{"account", branch.at("account")}, {"amount", branch.at("amount")}};
    msg.add(url_of(text(branch, "at")), json::serialize(order));
  }
  return client.wait(msg.do_and_submit(url_of(text(transaction, "query_at")),
                                       [&work] { return in_a_coroutine(work); }));
}
