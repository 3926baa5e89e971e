// The JSON-RPC interface (protocol page 02, section 9), which has requests of the HTTP interface in
// another envelope.

#include <variant>

#include <boost/json/object.hpp>

#include <concerto/protocol/api_http.hpp>

#include "api/pending_outcome.hpp"
#include "api/request_contexts.hpp"
#include "api/rpc_action.hpp"

namespace concerto::net {

Task<HttpResponse> HttpApi::json_rpc(HttpRequest request, RequestContext context) {
  RpcCall call;
  const RpcAsker asker{gate_, context, request.headers, request.certificate.get()};
  RpcAction action = rpc_action(request.body, routes_, asker, call);
  request.body = {};
  if (auto* const answer = std::get_if<HttpResponse>(&action)) co_return std::move(*answer);
  if (std::holds_alternative<NewGidCall>(action)) {
    boost::json::object gid;
    gid["gid"] = Coordinator::new_gid(random_).view();
    co_return rpc_result(call, std::move(gid));
  }
  if (auto* const branch = std::get_if<BranchRequest>(&action)) {
    const BranchOperation operation = std::get<BranchOperation>(call.route->operation);
    const Result<> result = co_await (coordinator_.*operation)(std::move(*branch), context);
    co_return rpc_answer(call, result);
  }
  const TransOperation operation = std::get<TransOperation>(call.route->operation);
  TransRequest& trans = std::get<TransRequest>(action);
  take_trace_state(trans, context, request.headers);
  Gid gid = trans.gid;
  const Result<> result = co_await (coordinator_.*operation)(std::move(trans), context);
  HttpResponse response = rpc_answer(call, result);
  if (!result) {
    const bool pending = co_await is_pending(coordinator_, std::move(gid), result.error().code);
    if (pending) response.headers.add(outcome_header, outcome_pending);
  }
  co_return response;
}

}  // namespace concerto::net
