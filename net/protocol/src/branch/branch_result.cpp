#include "branch_result.hpp"

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/protocol/http_branch_caller.hpp>
#include <concerto/transport/http_error.hpp>

#include "api/answer_bodies.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

enum Word : std::size_t { ongoing, failed };

/// Masked before the cut, which may separate a password from its @.
std::string cut(std::string_view text) {
  return masked_urls(text).substr(0, HttpBranchCaller::error_text_bytes_max);
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

GrpcReply grpc_branch_answer(Outcome outcome, std::string_view text) {
  switch (outcome) {
    case Outcome::success:
      return GrpcReply::success({});
    case Outcome::failure:
      return GrpcReply::failure(GrpcCode::aborted, std::string{text});
    case Outcome::ongoing:
      return GrpcReply::failure(GrpcCode::failed_precondition, std::string{ongoing_word});
    case Outcome::error:
      break;
  }
  return GrpcReply::failure(GrpcCode::unknown, std::string{text});
}

BranchReply branch_reply(const GrpcReply& reply) {
  const GrpcStatus& status = reply.status;
  BranchReply result;
  if (status.ok()) {
    result.outcome = Outcome::success;
  } else if (status.code == GrpcCode::failed_precondition ||
             (status.code == GrpcCode::aborted && status.message == ongoing_word)) {
    result.outcome = Outcome::ongoing;
  } else if (status.code == GrpcCode::aborted) {
    result.outcome = Outcome::failure;
    result.error = make_error(EngineErrc::branch_failure, with_failure_suffix(status.message));
  } else {
    result.outcome = Outcome::error;
    result.error = to_error(reply);
  }
  return result;
}

HttpResponse http_branch_answer(Outcome outcome, std::string_view text) {
  switch (outcome) {
    case Outcome::success:
      return json_response(200, std::string{success_body});
    case Outcome::failure:
      return json_response(409, result_body(failure_word, text));
    case Outcome::ongoing:
      return json_response(425, result_body(ongoing_word, ongoing_word));
    case Outcome::error:
      break;
  }
  return json_response(500, result_body({}, text));
}

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
  // Clients get only the body, as from the reference.
  BranchReply reply = unknown(HttpErrc::bad_status, cut(body));
  reply.full_text = "HTTP status " + std::to_string(status) + ": " + reply.error.detail;
  return reply;
}

HttpResponse rpc_branch_answer(Outcome outcome, std::string_view id, std::string_view text) {
  const auto body = [id](const json::value& error, const json::value& result) {
    const std::string id_text = json::serialize(json::string_view{id.data(), id.size()});
    return json_response(200, rpc_answer_body(id_text, error, result));
  };
  switch (outcome) {
    case Outcome::success:
      return body(nullptr, json::object{{"dtm_result", success_word}});
    case Outcome::failure:
      return body(rpc_error_value(rpc_failure, text), nullptr);
    case Outcome::ongoing:
      return body(rpc_error_value(rpc_ongoing, ongoing_word), nullptr);
    case Outcome::error:
      break;
  }
  return body(rpc_error_value(rpc_other_error, text), nullptr);
}

BranchReply judge_rpc_answer(unsigned status, std::string_view body) {
  BranchReply reply = judge_http_answer(status, body);
  if (reply.outcome != Outcome::success) return reply;
  JsonTree answer;
  if (!answer.parse(body) || !answer.root().is(JsonKind::object)) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC answer: " + cut(body));
  }
  const auto error = answer.root().find("error");
  if (!error || error->is(JsonKind::null)) return reply;
  if (!error->is(JsonKind::object)) {
    return unknown(HttpErrc::rpc_error, "not a JSON-RPC error: " + cut(body));
  }
  // Some encoders write integers as floating-point numbers.
  const auto code_member = error->find("code");
  const std::int64_t code = code_member ? code_member->whole_number().value_or(0) : 0;
  if (code == rpc_failure) return failure(rpc_message(*error));
  if (code == rpc_ongoing) return {Outcome::ongoing, {}};
  return unknown(HttpErrc::rpc_error, "JSON-RPC error: " + cut(body));
}

}  // namespace concerto::net
