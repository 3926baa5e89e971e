#include "api/rpc_action.hpp"

#include <utility>

#include <boost/json/serialize.hpp>

#include "api/answer_bodies.hpp"
#include "api/error_answers.hpp"
#include "api/json_read.hpp"
#include "api/request_json.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

constexpr std::int64_t parse_error = -32700;
constexpr std::int64_t bad_request = -32600;
constexpr std::int64_t method_not_found = -32601;

constexpr std::string_view no_id = R"("")";
constexpr std::string_view refused_id = "null";

HttpResponse rpc_error(const RpcCall& call, std::int64_t code, std::string_view message) {
  return json_response(200, rpc_answer_body(call.id, rpc_error_value(code, message), nullptr));
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

/// Says why the envelope is an invalid request by the specification; empty if it is valid.
std::string envelope_fault(const RpcCall& call) {
  if (call.id == refused_id) {
    return "id is a number of more than " + std::to_string(json_number_text_bytes_max) +
           " characters";
  }
  const bool is_valid = call.id != no_id && call.version == "2.0";
  return is_valid ? std::string{} : "id must not be empty and jsonrpc must be '2.0'";
}

/// Reads the envelope. `call` has the id even if something else is wrong.
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

/// Reads the params; absent params are those of an empty object.
template <class Request>
Result<Request> read_params(JsonValue body, Result<Request> (*read)(JsonValue object)) {
  const auto params = body.find("params");
  if (!params || params->is(JsonKind::null)) return Request{};
  if (!params->is(JsonKind::object)) return wrong_kind("params", "an object", *params);
  return read(*params);
}

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

}  // namespace

HttpResponse rpc_refusal(const Refusal& refusal) {
  HttpResponse response = http_answer(refusal);
  if (refusal.kind == Refusal::Kind::limited) {
    // The specification wants null for an id that is not known.
    const json::value error = rpc_error_value(rpc_other_error, refusal.sentence);
    response.body = rpc_answer_body(refused_id, error, nullptr);
  }
  return response;
}

HttpResponse rpc_result(const RpcCall& call, const json::value& result) {
  return json_response(200, rpc_answer_body(call.id, nullptr, result));
}

HttpResponse rpc_answer(const RpcCall& call, const Result<>& result) {
  if (result) return rpc_result(call, nullptr);
  const bool failed = answer_class(result.error().code) == AnswerClass::failure;
  return rpc_error(call, failed ? rpc_failure : rpc_other_error, client_text(result.error()));
}

ReceivedAnswer answer_from_rpc(std::string_view body) {
  JsonTree tree;
  if (!tree.parse(body) || !tree.root().is(JsonKind::object)) {
    return {AnswerClass::plain, std::string{body}};
  }
  const auto error = tree.root().find("error");
  if (!error || error->is(JsonKind::null)) return {};
  if (!error->is(JsonKind::object)) return {AnswerClass::plain, std::string{body}};
  const auto code = error->find("code");
  const auto message = error->find("message");
  const bool failed = code && code->whole_number() == rpc_failure;
  const bool has_text = message && message->is(JsonKind::text);
  return {failed ? AnswerClass::failure : AnswerClass::plain,
          std::string{has_text ? message->text() : body}};
}

RpcAction rpc_action(std::string_view body, const RouteTable& routes, const RpcAsker& asker,
                     RpcCall& call) {
  JsonText text;
  Result<> read = text.parse(body, "the request body");
  if (read) read = read_call(text.root(), call);
  if (!read) return unreadable(call, read.error());
  if (const std::string fault = envelope_fault(call); !fault.empty()) {
    return rpc_error(call, bad_request, "Bad json request: " + fault);
  }
  call.route = routes.find_rpc(call.method);
  if (!call.route) {
    return rpc_error(call, method_not_found, "Method not found: " + call.method);
  }
  if (const auto refusal = asker.gate.refuse_rpc(call.route->needs(), asker.context, asker.headers,
                                                 asker.certificate)) {
    return rpc_error(call, rpc_other_error, refusal->sentence);
  }
  const RouteOperation& operation = call.route->operation;
  if (std::holds_alternative<OwnHandlers>(operation)) return NewGidCall{};
  if (std::holds_alternative<Async<> (Coordinator::*)(BranchRequest, RequestContext)>(operation)) {
    return action_with(call, read_params(text.root(), branch_request_from));
  }
  return action_with(call, read_params(text.root(), trans_request_from));
}

}  // namespace concerto::net
