#include "branch_result.hpp"

#include <string>

#include <concerto/base/json_tree.hpp>
#include <concerto/protocol/http_branch_caller.hpp>
#include <concerto/transport/http_error.hpp>

namespace concerto::net {
namespace {

constexpr std::int64_t rpc_failure = -32901;
constexpr std::int64_t rpc_ongoing = -32902;

enum Word : std::size_t { ongoing, failed };

std::string_view cut(std::string_view text) noexcept {
  return text.substr(0, HttpBranchCaller::error_text_bytes_max);
}

BranchReply failure(std::string_view text) {
  return {Outcome::failure, make_error(EngineErrc::branch_failure, with_failure_suffix(cut(text)))};
}

BranchReply unknown(HttpErrc code, std::string text) {
  return {Outcome::error, make_error(code, std::move(text))};
}

std::string_view rpc_message(JsonValue error) {
  const auto message = error.find("message");
  return message && message->is(JsonKind::text) ? message->text() : std::string_view{};
}

}  // namespace

BranchReply judge_http_answer(unsigned status, std::string_view body, std::uint32_t words_beyond) {
  const auto contains = [&](Word word) {
    return (words_beyond >> word & 1) != 0 || body.find(decisive_words[word]) != body.npos;
  };
  if (status == 425 || contains(ongoing)) return {Outcome::ongoing, {}};
  if (status == 409 || contains(failed)) return failure(body);
  if (status == 200) return {Outcome::success, {}};
  if (body.empty()) {
    return unknown(HttpErrc::bad_status,
                   "HTTP status " + std::to_string(status) + " without a body");
  }
  // Clients of the reference are told the body alone.
  BranchReply reply = unknown(HttpErrc::bad_status, std::string{cut(body)});
  reply.full_text = "HTTP status " + std::to_string(status) + ": " + reply.error.detail;
  return reply;
}

BranchReply judge_rpc_answer(unsigned status, std::string_view body) {
  BranchReply reply = judge_http_answer(status, body);
  if (reply.outcome != Outcome::success) return reply;
  JsonTree answer;
  if (!answer.parse(body) || !answer.root().is(JsonKind::object)) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC answer: " + std::string{cut(body)});
  }
  const auto error = answer.root().find("error");
  if (!error || error->is(JsonKind::null)) return reply;
  if (!error->is(JsonKind::object)) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC error: " + std::string{cut(body)});
  }
  // Some encoders write integers as floating-point numbers.
  const auto code_member = error->find("code");
  const std::int64_t code = code_member ? code_member->whole_number().value_or(0) : 0;
  if (code == rpc_failure) return failure(rpc_message(*error));
  if (code == rpc_ongoing) return {Outcome::ongoing, {}};
  return unknown(HttpErrc::rpc_error, "JSON-RPC error: " + std::string{cut(body)});
}

}  // namespace concerto::net
