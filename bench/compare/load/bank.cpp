#include "bank.hpp"

#include <utility>
#include <vector>

namespace concerto::bench {
namespace {

const std::string grpc_service = "/concerto.bench.Bank/";
const std::string methods[] = {"TransOut", "TransIn"};

}  // namespace

Bank::Bank(Executor executor, Timers& timers, CallLedger& ledger, std::size_t payload_bytes)
    : ledger_(ledger),
      payload_bytes_(payload_bytes),
      grpc_server_(executor, timers),
      grpc_listener_(executor, timers, {&grpc_server_}),
      http_server_(executor, timers,
                   [this](net::HttpRequest request) { return answer_http(std::move(request)); }),
      http_listener_(executor, timers, {&http_server_}) {
  for (const std::string& method : methods) {
    grpc_server_.add_unary(grpc_service + method, [this](net::GrpcRequest request) {
      return answer_grpc(std::move(request));
    });
  }
}

Result<> Bank::start() {
  const asio::ip::tcp::endpoint free_port(asio::ip::address_v4::loopback(), 0);
  CONCERTO_CHECK(grpc_listener_.listen(free_port));
  return http_listener_.start(free_port);
}

Task<void> Bank::stop(SteadyTime deadline) {
  grpc_listener_.close();
  co_await http_listener_.stop();
  co_await grpc_server_.shutdown(deadline);
  co_await http_server_.drain(deadline);
}

std::string Bank::url(Wire wire, const std::string& method) const {
  if (wire == Wire::grpc) {
    return "127.0.0.1:" + std::to_string(grpc_listener_.address().port()) + grpc_service + method;
  }
  return "http://127.0.0.1:" + std::to_string(http_listener_.local_endpoint().port()) + "/" +
         method;
}

Task<net::GrpcReply> Bank::answer_grpc(net::GrpcRequest request) {
  const auto value = [&](std::string_view name) {
    return request.metadata.find(name).value_or(std::string_view{});
  };
  if (request.message.size() == payload_bytes_ &&
      ledger_.note(value("dtm-gid"), value("dtm-branch_id"), value("dtm-op"))) {
    co_return net::GrpcReply::success({});
  }
  co_return net::GrpcReply::failure(net::GrpcCode::aborted, "not a call of this load");
}

Task<net::HttpResponse> Bank::answer_http(net::HttpRequest request) {
  const auto value = [&](std::string_view name) {
    return request.query_value(name).value_or(std::string_view{});
  };
  if (request.body.size() == payload_bytes_ &&
      ledger_.note(value("gid"), value("branch_id"), value("op"))) {
    co_return net::json_response(200, R"({"dtm_result":"SUCCESS"})");
  }
  co_return net::json_response(409, R"({"dtm_result":"FAILURE"})");
}

}  // namespace concerto::bench
