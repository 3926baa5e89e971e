#include "api/error_answers.hpp"

#include <concerto/base/json_tree.hpp>
#include <concerto/engine/error.hpp>

#include "api/answer_bodies.hpp"
#include "api/pending_outcome.hpp"

namespace concerto::net {
namespace {

constexpr std::string_view retry_after_seconds = "1";
constexpr std::string_view retry_after_guesses = "3";

AnswerClass class_of(Errc code) noexcept {
  switch (code) {
    case Errc::overloaded:
      return AnswerClass::overloaded;
    case Errc::shutting_down:
      return AnswerClass::unknown_outcome;
    case Errc::deadline_exceeded:
      return AnswerClass::deadline;
    case Errc::invalid_request:
    case Errc::not_supported:
      return AnswerClass::rejected;
  }
  return AnswerClass::plain;
}

AnswerClass class_of(EngineErrc code) noexcept {
  switch (code) {
    case EngineErrc::status_conflict:
    case EngineErrc::trans_failed:
    case EngineErrc::result_not_success:
    case EngineErrc::branch_failure:
      return AnswerClass::failure;
    case EngineErrc::branch_ongoing:
      return AnswerClass::ongoing;
    case EngineErrc::store_busy:
    case EngineErrc::lease_lost:
      return AnswerClass::busy;
    case EngineErrc::store_late:
    case EngineErrc::store_failed:
      return AnswerClass::late;
    case EngineErrc::store_unavailable:
      return AnswerClass::unknown_outcome;
    case EngineErrc::invalid_entry:
    case EngineErrc::branch_exists:
    case EngineErrc::branch_error:
    case EngineErrc::key_not_found:
    case EngineErrc::key_exists:
      return AnswerClass::plain;
    case EngineErrc::trans_not_found:
    case EngineErrc::gid_exists:
    case EngineErrc::status_mismatch:
    case EngineErrc::store_damaged:
      return AnswerClass::rejected;
  }
  return AnswerClass::plain;
}

/// What a client is told of trouble with the store. The detail of such an error is for operators:
/// it has the words of a database, of its driver or of the system, with names of servers, users and
/// columns. The log has it.
std::string_view store_sentence(const error_code& code) noexcept {
  if (code.category() != engine_category()) return {};
  switch (static_cast<EngineErrc>(code.value())) {
    case EngineErrc::store_busy:
      return "the store is away or too busy at the moment, and nothing was changed: try again";
    case EngineErrc::store_late:
      return "the store has not answered in time, and the outcome is not known, because the "
             "request "
             "goes on: query the transaction, or repeat the request with the same gid";
    case EngineErrc::store_failed:
      return "the store has trouble at the moment, and the outcome is not known: query the "
             "transaction, or repeat the request";
    case EngineErrc::store_unavailable:
      return "the store does not take this request at the moment: try again";
    default:
      return {};
  }
}

HttpResponse with_message(unsigned status, std::string_view result, std::string_view message) {
  return json_response(status, result_body(result, message));
}

/// The member `message` of a body, or the body if it has none.
std::string message_in(std::string_view body) {
  JsonTree tree;
  if (!tree.parse(body) || !tree.root().is(JsonKind::object)) return std::string{body};
  const auto message = tree.root().find("message");
  return std::string{message && message->is(JsonKind::text) ? message->text() : body};
}

AnswerClass class_of(unsigned status, const HttpHeaders& headers) noexcept {
  switch (status) {
    case 409:
      return AnswerClass::failure;
    case 425:
      return AnswerClass::ongoing;
    case 429:
      return AnswerClass::overloaded;
    case 503:
      if (headers.find(outcome_header) == outcome_unknown) return AnswerClass::late;
      return headers.contains("Retry-After") ? AnswerClass::overloaded
                                             : AnswerClass::unknown_outcome;
    default:
      return AnswerClass::plain;
  }
}

AnswerClass class_of(GrpcCode code) noexcept {
  switch (code) {
    case GrpcCode::aborted:
      return AnswerClass::failure;
    case GrpcCode::failed_precondition:
      return AnswerClass::ongoing;
    case GrpcCode::resource_exhausted:
      return AnswerClass::overloaded;
    case GrpcCode::unavailable:
      return AnswerClass::unknown_outcome;
    case GrpcCode::deadline_exceeded:
      return AnswerClass::deadline;
    case GrpcCode::internal:
      return AnswerClass::rejected;
    default:
      return AnswerClass::plain;
  }
}

GrpcCode grpc_code(AnswerClass answer) noexcept {
  switch (answer) {
    case AnswerClass::failure:
      return GrpcCode::aborted;
    case AnswerClass::ongoing:
      return GrpcCode::failed_precondition;
    case AnswerClass::overloaded:
      return GrpcCode::resource_exhausted;
    case AnswerClass::busy:
    case AnswerClass::late:
    case AnswerClass::unknown_outcome:
      return GrpcCode::unavailable;
    case AnswerClass::deadline:
      return GrpcCode::deadline_exceeded;
    case AnswerClass::plain:
      return GrpcCode::unknown;
    case AnswerClass::rejected:
      return GrpcCode::internal;
  }
  return GrpcCode::unknown;
}

unsigned http_status(Refusal::Kind kind) noexcept {
  switch (kind) {
    case Refusal::Kind::forbidden:
      return 403;
    case Refusal::Kind::wrong_method:
      return 405;
    case Refusal::Kind::unknown_caller:
    case Refusal::Kind::wrong_token:
      return 401;
    case Refusal::Kind::too_many_wrong:
    case Refusal::Kind::limited:
      return 429;
  }
  return 403;
}

}  // namespace

std::string client_text(const Error& error) {
  if (const std::string_view sentence = store_sentence(error.code); !sentence.empty()) {
    return std::string{sentence};
  }
  return error.detail.empty() ? error.code.message() : error.detail;
}

AnswerClass answer_class(const error_code& code) noexcept {
  if (code.category() == base_category()) return class_of(static_cast<Errc>(code.value()));
  if (code.category() == engine_category()) return class_of(static_cast<EngineErrc>(code.value()));
  return AnswerClass::plain;
}

HttpResponse http_answer(const Error& error) {
  const std::string text = client_text(error);
  switch (answer_class(error.code)) {
    case AnswerClass::failure:
      return with_message(409, failure_word, text);
    case AnswerClass::ongoing:
      return with_message(425, ongoing_word, text);
    case AnswerClass::overloaded:
    case AnswerClass::busy:
    case AnswerClass::late: {
      HttpResponse response = with_message(503, {}, text);
      const bool may_happen = answer_class(error.code) == AnswerClass::late;
      if (may_happen) response.headers.add(outcome_header, outcome_unknown);
      response.headers.add("Retry-After", retry_after_seconds);
      return response;
    }
    case AnswerClass::unknown_outcome:
    case AnswerClass::deadline:
      return with_message(503, {}, text);
    case AnswerClass::plain:
    case AnswerClass::rejected:
      return with_message(500, {}, text);
  }
  return with_message(500, {}, text);
}

ReceivedAnswer answer_from_http(unsigned status, const HttpHeaders& headers,
                                std::string_view body) {
  if (status == 200) return {};
  return {class_of(status, headers), message_in(body)};
}

GrpcStatus grpc_answer(const Error& error) {
  GrpcStatus status;
  status.code = grpc_code_of(error.code).value_or(grpc_code(answer_class(error.code)));
  if (status.ok()) status.code = GrpcCode::unknown;
  status.message = client_text(error);
  return status;
}

ReceivedAnswer answer_from_grpc(const GrpcStatus& status) {
  if (status.ok()) return {};
  return {class_of(status.code), status.message};
}

HttpResponse operator_answer(const Error& error) {
  HttpResponse response = http_answer(error);
  if (error.code == Errc::invalid_request || error.code == EngineErrc::invalid_entry) {
    response.status = 400;
  } else if (error.code == EngineErrc::trans_not_found || error.code == EngineErrc::key_not_found) {
    response.status = 404;
  }
  return response;
}

HttpResponse http_answer(const Refusal& refusal) {
  HttpResponse response = error_response(http_status(refusal.kind), refusal.sentence);
  switch (refusal.kind) {
    case Refusal::Kind::forbidden:
      break;
    case Refusal::Kind::wrong_method:
      response.headers.add("Allow", "POST");
      break;
    case Refusal::Kind::unknown_caller:
      response.headers.add("WWW-Authenticate", R"(Bearer realm="concerto")");
      break;
    case Refusal::Kind::wrong_token:
      response.headers.add("WWW-Authenticate", R"(Bearer realm="concerto", error="invalid_token")");
      break;
    case Refusal::Kind::too_many_wrong:
      response.headers.add("Retry-After", retry_after_guesses);
      break;
    case Refusal::Kind::limited:
      response.headers.add("Retry-After", std::to_string(refusal.retry_after_seconds));
      break;
  }
  return response;
}

GrpcStatus grpc_answer(const Refusal& refusal) {
  switch (refusal.kind) {
    case Refusal::Kind::unknown_caller:
    case Refusal::Kind::wrong_token:
      return {GrpcCode::unauthenticated, refusal.sentence};
    case Refusal::Kind::too_many_wrong:
    case Refusal::Kind::limited:
      return {GrpcCode::resource_exhausted, refusal.sentence};
    case Refusal::Kind::forbidden:
    case Refusal::Kind::wrong_method:
      return {GrpcCode::permission_denied, refusal.sentence};
  }
  return {GrpcCode::permission_denied, refusal.sentence};
}

}  // namespace concerto::net
