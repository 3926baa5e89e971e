#include "bank.hpp"

#include <utility>

#include "scenario.hpp"

namespace concerto::load {
namespace {

const std::string grpc_service = "/concerto.load.Bank/";
const std::string methods[] = {"TransOut", "TransOutBack", "TransIn", "TransInBack", "Query"};

/// The branch id of a call about the transaction as a whole.
constexpr std::string_view whole_transaction = "00";

constexpr std::string_view refusal = "not a call of this load";

template <class Options>
Options with_tls(std::shared_ptr<asio::ssl::context> tls) {
  Options options;
  options.tls = std::move(tls);
  return options;
}

}  // namespace

Bank::Bank(Executor executor, Timers& timers, CallLedger& ledger, Shape shape)
    : timers_(timers),
      ledger_(ledger),
      shape_(shape),
      grpc_server_(executor, timers, with_tls<net::GrpcServerOptions>(shape.tls)),
      grpc_listener_(executor, timers, {&grpc_server_}),
      http_server_(
          executor, timers,
          [this](net::HttpRequest request) { return answer_http(std::move(request)); },
          with_tls<net::HttpServerOptions>(shape.tls)),
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
  const std::string host_port = Authority{at.address().to_string(), at.port()}.text();
  if (wire == Wire::grpc) return host_port + grpc_service + method;
  return (shape_.tls ? "https://" : "http://") + host_port + "/" + method;
}

Bank::Answer Bank::judge(const net::ReceivedCall& call, std::size_t payload_bytes) {
  if (call.branch_id == whole_transaction) return {Outcome::ongoing, {}};
  // The service of an xa branch keeps its payload itself.
  const bool keeps_payload = call.op == "commit" || call.op == "rollback";
  if (payload_bytes != (keeps_payload ? 0 : shape_.payload_bytes)) {
    return {Outcome::failure, refusal};
  }
  const auto number = ledger_.number_of(call.gid);
  return number ? judge_purpose(call, *number) : Answer{Outcome::failure, refusal};
}

/// The last branch is the one that fails on purpose. An error comes before the call that ends the
/// branch: its action, or its compensation if it rolls back.
Bank::Answer Bank::judge_purpose(const net::ReceivedCall& call, std::uint64_t number) {
  const bool is_last = call.branch_id == branch_id(branch_count - 1);
  const bool refuses = is_last && call.op == "action" && ledger_.purposes().fails(number);
  const bool has_error = is_last && !refuses && ledger_.purposes().errs(number);
  if (has_error && ledger_.note_error(number)) return {Outcome::error, error_on_purpose};
  if (!ledger_.note(call.gid, call.branch_id, call.op)) return {Outcome::failure, refusal};
  if (refuses) return {Outcome::failure, refusal_on_purpose};
  return {Outcome::success, {}};
}

Task<Bank::Answer> Bank::hear(net::ReceivedCall call, std::size_t payload_bytes) {
  if (shape_.delay.count() > 0) co_await sleep_until(timers_, timers_.now() + shape_.delay);
  co_return judge(call, payload_bytes);
}

Task<net::GrpcReply> Bank::answer_grpc(net::GrpcRequest request) {
  net::ReceivedCall call = net::received_call(request.metadata);
  const Answer answer = co_await hear(std::move(call), request.message.size());
  co_return net::grpc_branch_answer(answer.outcome, answer.text);
}

Task<net::HttpResponse> Bank::answer_http(net::HttpRequest request) {
  net::ReceivedCall call = net::received_call(request);
  const Answer answer = co_await hear(std::move(call), request.body.size());
  co_return net::http_branch_answer(answer.outcome, answer.text);
}

}  // namespace concerto::load
