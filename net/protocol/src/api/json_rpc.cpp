// The JSON-RPC interface (protocol page 02, section 9): the requests of the HTTP interface in
// another envelope.

#include <variant>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/utf8.hpp>
#include <concerto/protocol/api_http.hpp>

#include "api/error_answers.hpp"
#include "api/json_read.hpp"
#include "api/pending_outcome.hpp"
#include "api/request_json.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

constexpr int parse_error = -32700;
constexpr int bad_request = -32600;
constexpr int method_not_found = -32601;
constexpr int other_error = -32603;
constexpr int failure_error = -32901;

constexpr std::string_view no_id = R"("")";
constexpr std::string_view refused_id = "null";

struct RpcCall {
  /// The JSON text of a string or a number, given back as it came: a number keeps its own digits.
  std::string id{no_id};
  std::string version;
  std::string method;
};

std::string envelope(std::string_view id, const json::value& error, const json::value& result) {
  std::string answer = R"({"error":)" + json::serialize(error) + R"(,"id":)";
  answer += id;
  answer += R"(,"jsonrpc":"2.0","result":)" + json::serialize(result) + "}";
  return answer;
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

bool is_id(JsonValue value) noexcept {
  return value.kind() != JsonKind::boolean && value.kind() < JsonKind::array;
}

std::string id_from(JsonValue value) {
  if (value.is(JsonKind::null)) return std::string{no_id};
  if (value.is(JsonKind::text)) {
    return json::serialize(json::string_view{value.text().data(), value.text().size()});
  }
  const std::string_view number = value.number_text();
  return std::string{number.empty() ? refused_id : number};
}

/// What the specification has as an invalid request; empty when nothing is wrong.
std::string envelope_fault(const RpcCall& call) {
  if (call.id == refused_id) {
    return "id is a number of more than " + std::to_string(json_number_text_bytes_max) +
           " characters";
  }
  const bool is_valid = call.id != no_id && call.version == "2.0";
  return is_valid ? std::string{} : "id must not be empty and jsonrpc must be '2.0'";
}

/// Reads the envelope. `call` has the id even when something else is wrong.
Result<> read_call(JsonValue body, RpcCall& call) {
  if (!body.is(JsonKind::object)) return wrong_kind("the request body", "an object", body);
  if (const auto id = body.find("id")) {
    if (!is_id(*id)) return wrong_kind("id", "a string or a number", *id);
    call.id = id_from(*id);
  }
  const auto read_text = [&](std::string_view name, std::string& target) -> Result<> {
    const auto member = body.find(name);
    return !member || member->is(JsonKind::null) ? ok() : read_json(name, *member, target);
  };
  CONCERTO_CHECK(read_text("jsonrpc", call.version));
  return read_text("method", call.method);
}

/// What the params say to a method that reads them: none are those of an empty object.
template <class Request>
Result<Request> read_params(JsonValue body, Result<Request> (*read)(JsonValue object)) {
  const auto params = body.find("params");
  if (!params || params->is(JsonKind::null)) return Request{};
  if (!params->is(JsonKind::object)) return wrong_kind("params", "an object", *params);
  return read(*params);
}

struct NewGidCall {};

/// What a request asks for, or why it asks for nothing.
using RpcAction = std::variant<HttpResponse, NewGidCall, TransRequest, BranchRequest>;

HttpResponse unreadable(const RpcCall& call, const Error& error) {
  HttpResponse response = rpc_error(call, parse_error, "Parse json error: " + error.detail);
  response.status = 400;
  response.content_type = text_content_type;
  return response;
}

template <class Request>
RpcAction action_with(const RpcCall& call, Result<Request> params) {
  if (!params) return rpc_answer(call, params.error());
  return std::move(*params);
}

/// The envelope is judged first, and the params by the methods that read them.
RpcAction action_of(std::string_view body, RpcCall& call) {
  JsonText text;
  Result<> read = text.parse(body, "the request body");
  if (read) read = read_call(text.root(), call);
  if (!read) return unreadable(call, read.error());
  if (const std::string fault = envelope_fault(call); !fault.empty()) {
    return rpc_error(call, bad_request, "Bad json request: " + fault);
  }
  if (call.method == "newGid") return NewGidCall{};
  if (call.method == "registerBranch") {
    return action_with(call, read_params(text.root(), branch_request_from));
  }
  if (call.method == "prepare" || call.method == "submit" || call.method == "abort") {
    return action_with(call, read_params(text.root(), trans_request_from));
  }
  return rpc_error(call, method_not_found, "Method not found: " + call.method);
}

}  // namespace

Task<HttpResponse> HttpApi::json_rpc(HttpRequest request) {
  RpcCall call;
  RpcAction action = action_of(request.body, call);
  request.body = {};
  if (auto* const answer = std::get_if<HttpResponse>(&action)) co_return std::move(*answer);
  if (std::holds_alternative<NewGidCall>(action)) {
    json::object gid;
    gid["gid"] = Coordinator::new_gid(random_).view();
    co_return rpc_result(call, std::move(gid));
  }
  if (auto* const branch = std::get_if<BranchRequest>(&action)) {
    const Result<> result = co_await coordinator_.register_branch(std::move(*branch));
    co_return rpc_answer(call, result);
  }
  TransOperation operation = &Coordinator::prepare;
  if (call.method == "submit") operation = &Coordinator::submit;
  if (call.method == "abort") operation = &Coordinator::abort;
  TransRequest& trans = std::get<TransRequest>(action);
  Gid gid = trans.gid;
  const Result<> result = co_await (coordinator_.*operation)(std::move(trans));
  HttpResponse response = rpc_answer(call, result);
  if (!result) {
    const bool pending = co_await is_pending(coordinator_, std::move(gid), result.error().code);
    if (pending) response.headers.add(outcome_header, outcome_pending);
  }
  co_return response;
}

}  // namespace concerto::net
