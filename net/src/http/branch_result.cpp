#include "branch_result.hpp"

#include <string>

#include <boost/json/parse.hpp>

#include <concerto/net/http_branch_caller.hpp>
#include <concerto/net/http_error.hpp>

#include "json_options.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

constexpr std::int64_t rpc_failure = -32901;
constexpr std::int64_t rpc_ongoing = -32902;

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

std::string_view cut(std::string_view text) noexcept {
  return text.substr(0, HttpBranchCaller::error_text_bytes_max);
}

BranchReply failure(std::string_view text) {
  return {Outcome::failure, make_error(Errc::branch_failure, with_failure_suffix(cut(text)))};
}

BranchReply unknown(HttpErrc code, std::string text) {
  return {Outcome::error, make_error(code, std::move(text))};
}

/// Integers and the floating-point numbers that some encoders make of them.
std::int64_t rpc_code(const json::object& error) {
  const json::value* code = error.if_contains("code");
  if (!code) return 0;
  if (const auto* number = code->if_int64()) return *number;
  const auto* number = code->if_double();
  if (number && *number == static_cast<double>(rpc_failure)) return rpc_failure;
  if (number && *number == static_cast<double>(rpc_ongoing)) return rpc_ongoing;
  return 0;
}

std::string_view rpc_message(const json::object& error) {
  const json::value* message = error.if_contains("message");
  const auto* text = message ? message->if_string() : nullptr;
  return text ? std::string_view{text->data(), text->size()} : std::string_view{};
}

}  // namespace

BranchReply judge_http_answer(unsigned status, std::string_view body) {
  if (status == 425 || contains(body, "ONGOING")) return {Outcome::ongoing, {}};
  if (status == 409 || contains(body, "FAILURE")) return failure(body);
  if (status == 200) return {Outcome::success, {}};
  if (body.empty()) {
    return unknown(HttpErrc::bad_status,
                   "HTTP status " + std::to_string(status) + " without a body");
  }
  return unknown(HttpErrc::bad_status, std::string{cut(body)});
}

BranchReply judge_rpc_answer(unsigned status, std::string_view body) {
  BranchReply reply = judge_http_answer(status, body);
  if (reply.outcome != Outcome::success) return reply;
  error_code malformed;
  const json::value answer =
      json::parse({body.data(), body.size()}, malformed, {}, json_parse_options());
  const json::object* object = malformed ? nullptr : answer.if_object();
  if (!object) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC answer: " + std::string{cut(body)});
  }
  const json::value* error = object->if_contains("error");
  if (!error || error->is_null()) return reply;
  const json::object* details = error->if_object();
  if (!details) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC error: " + std::string{cut(body)});
  }
  const std::int64_t code = rpc_code(*details);
  if (code == rpc_failure) return failure(rpc_message(*details));
  if (code == rpc_ongoing) return {Outcome::ongoing, {}};
  return unknown(HttpErrc::rpc_error, "JSON-RPC error: " + std::string{cut(body)});
}

}  // namespace concerto::net
