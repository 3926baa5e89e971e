#include "bank.hpp"

#include <utility>

namespace concerto::load {
namespace {

const std::string grpc_service = "/concerto.load.Bank/";
const std::string methods[] = {"TransOut", "TransOutBack", "TransIn", "TransInBack", "Query"};

/// The branch id of a call that asks about the transaction as a whole.
constexpr std::string_view whole_transaction = "00";

}  // namespace

Bank::Bank(Executor executor, Timers& timers, CallLedger& ledger, Shape shape)
    : timers_(timers),
      ledger_(ledger),
      shape_(shape),
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

Result<> Bank::start(const std::string& address) {
  error_code failed;
  const asio::ip::tcp::endpoint free_port(asio::ip::make_address(address, failed), 0);
  if (failed) return make_error(Errc::invalid_request, "'" + address + "' is no IP address");
  CONCERTO_CHECK(grpc_listener_.listen(free_port));
  return http_listener_.listen(free_port);
}

Task<void> Bank::stop(SteadyTime deadline) {
  grpc_listener_.close();
  http_listener_.close();
  co_await grpc_server_.drain(deadline);
  co_await http_server_.drain(deadline);
}

std::vector<BranchUrls> Bank::branches(Wire wire) const {
  return {{url(wire, "TransOut"), url(wire, "TransOutBack")},
          {url(wire, "TransIn"), url(wire, "TransInBack")}};
}

std::string Bank::query_prepared(Wire wire) const {
  return url(wire, "Query");
}

std::string Bank::url(Wire wire, const std::string& method) const {
  const auto at = wire == Wire::grpc ? grpc_listener_.address() : http_listener_.address();
  const std::string host_port = HostPort{at.address().to_string(), at.port()}.text();
  return wire == Wire::grpc ? host_port + grpc_service + method
                            : "http://" + host_port + "/" + method;
}

Bank::Verdict Bank::judge(const Call& call) {
  if (call.branch_id == whole_transaction) return Verdict::ongoing;
  // The participant of an xa transaction keeps its payload itself.
  const std::size_t bytes = call.op == "commit" ? 0 : shape_.payload_bytes;
  if (call.payload_bytes != bytes) return Verdict::refused;
  return ledger_.note(call.gid, call.branch_id, call.op) ? Verdict::success : Verdict::refused;
}

Task<Bank::Verdict> Bank::hear(Call call) {
  if (shape_.delay.count() > 0) co_await sleep_until(timers_, timers_.now() + shape_.delay);
  co_return judge(call);
}

Task<net::GrpcReply> Bank::answer_grpc(net::GrpcRequest request) {
  const auto value = [&](std::string_view name) {
    return std::string(request.metadata.find(name).value_or(std::string_view{}));
  };
  Call call{value("dtm-gid"), value("dtm-branch_id"), value("dtm-op"), request.message.size()};
  switch (co_await hear(std::move(call))) {
    case Verdict::success:
      co_return net::GrpcReply::success({});
    case Verdict::ongoing:
      co_return net::GrpcReply::failure(net::GrpcCode::failed_precondition, "ONGOING");
    case Verdict::refused:
      break;
  }
  co_return net::GrpcReply::failure(net::GrpcCode::aborted, "not a call of this load");
}

Task<net::HttpResponse> Bank::answer_http(net::HttpRequest request) {
  const auto value = [&](std::string_view name) {
    return std::string(request.query_value(name).value_or(std::string_view{}));
  };
  Call call{value("gid"), value("branch_id"), value("op"), request.body.size()};
  switch (co_await hear(std::move(call))) {
    case Verdict::success:
      co_return net::json_response(200, R"({"dtm_result":"SUCCESS"})");
    case Verdict::ongoing:
      co_return net::json_response(425, R"({"dtm_result":"ONGOING"})");
    case Verdict::refused:
      break;
  }
  co_return net::json_response(409,
                               R"({"dtm_result":"FAILURE","message":"not a call of this load"})");
}

}  // namespace concerto::load
