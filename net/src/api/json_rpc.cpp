// The JSON-RPC interface (protocol page 02, section 9): the requests of the HTTP interface in
// another envelope.

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/net/api_http.hpp>

#include "api/error_answers.hpp"
#include "api/json_read.hpp"
#include "api/request_json.hpp"
#include "api/utf8.hpp"

namespace concerto::net {
namespace {

constexpr int parse_error = -32700;
constexpr int bad_request = -32600;
constexpr int method_not_found = -32601;
constexpr int other_error = -32603;
constexpr int failure_error = -32901;

struct RpcCall {
  std::string id;
  std::string version;
  std::string method;
  json::object params;
};

std::string envelope(std::string_view id, json::value error, json::value result) {
  json::object answer;
  answer["error"] = std::move(error);
  answer["id"] = id;
  answer["jsonrpc"] = "2.0";
  answer["result"] = std::move(result);
  return json::serialize(answer);
}

HttpResponse rpc_result(const RpcCall& call, json::value result) {
  return json_response(200, envelope(call.id, nullptr, std::move(result)));
}

HttpResponse rpc_error(const RpcCall& call, int code, std::string_view message) {
  json::object error;
  error["code"] = code;
  error["message"] = to_utf8(message);
  return json_response(200, envelope(call.id, std::move(error), nullptr));
}

HttpResponse rpc_answer(const RpcCall& call, const Result<>& result) {
  if (result) return rpc_result(call, nullptr);
  const bool failed = answer_class(result.error().code) == AnswerClass::failure;
  return rpc_error(call, failed ? failure_error : other_error, result.error().detail);
}

Result<RpcCall> read_call(std::string_view body) {
  CONCERTO_TRY(const json::value value, parse_json(body, "the request body", {}));
  if (!value.is_object()) return wrong_kind("the request body", "an object", value);
  const json::object& object = value.get_object();
  RpcCall call;
  const auto read_text = [&](const char* name, std::string& target) -> Result<> {
    const json::value* member = object.if_contains(name);
    return member == nullptr || member->is_null() ? ok() : read_json(name, *member, target);
  };
  CONCERTO_CHECK(read_text("id", call.id));
  CONCERTO_CHECK(read_text("jsonrpc", call.version));
  CONCERTO_CHECK(read_text("method", call.method));
  const json::value* params = object.if_contains("params");
  if (params == nullptr || params->is_null()) return call;
  if (!params->is_object()) return wrong_kind("params", "an object", *params);
  call.params = params->get_object();
  return call;
}

}  // namespace

Task<HttpResponse> HttpApi::json_rpc(HttpRequest request) {
  Result<RpcCall> read = read_call(request.body);
  if (!read) {
    HttpResponse response =
        rpc_error(RpcCall{}, parse_error, "Parse json error: " + read.error().detail);
    response.status = 400;
    response.content_type = text_content_type;
    co_return response;
  }
  const RpcCall call = std::move(*read);
  request.body = {};
  if (call.id.empty() || call.version != "2.0") {
    co_return rpc_error(call, bad_request,
                        "Bad json request: id must not be empty and jsonrpc must be '2.0'");
  }
  if (call.method == "newGid") {
    json::object gid;
    gid["gid"] = Coordinator::new_gid(random_).view();
    co_return rpc_result(call, std::move(gid));
  }
  if (call.method == "registerBranch") {
    Result<BranchRequest> branch = branch_request_from(call.params);
    if (!branch) co_return rpc_answer(call, branch.error());
    const Result<> result = co_await coordinator_.register_branch(std::move(*branch));
    co_return rpc_answer(call, result);
  }
  TransOperation operation = nullptr;
  if (call.method == "prepare") operation = &Coordinator::prepare;
  if (call.method == "submit") operation = &Coordinator::submit;
  if (call.method == "abort") operation = &Coordinator::abort;
  if (operation == nullptr) {
    co_return rpc_error(call, method_not_found, "Method not found: " + call.method);
  }
  Result<TransRequest> trans = trans_request_from(call.params);
  if (!trans) co_return rpc_answer(call, trans.error());
  const Result<> result = co_await (coordinator_.*operation)(std::move(*trans));
  co_return rpc_answer(call, result);
}

}  // namespace concerto::net
