#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <concerto/base/error.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/action_audit.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The header and the gRPC metadata in which a caller says why. Over HTTP it may also be the query
/// parameter `reason`; the header comes first.
inline constexpr std::string_view reason_header = "X-Concerto-Reason";

/// The reason in the header, or else in the query; empty if there is none.
std::string reason_of(const HttpRequest& request);
inline constexpr std::string_view reason_metadata = "x-concerto-reason";

/// The record of a request. Its event is begun.
AuditRecord record_of(const RouteNeeds& needs, const HttpRequest& request,
                      const RequestContext& context, const std::optional<Refusal>& refusal);
AuditRecord record_of(const RouteNeeds& needs, const GrpcRequest& request,
                      const RequestContext& context, const std::optional<Refusal>& refusal);

/// Whether a request is refused because nobody knows whose it is.
bool is_of_stranger(const std::optional<Refusal>& refusal) noexcept;

/// Makes the record of an action the record of its end. An action that goes on behind its answer
/// (202) has begun, and leaves the record of its end later.
void add_end(AuditRecord& record, const HttpResponse& answer);
void add_end(AuditRecord& record, const GrpcReply& answer);
/// The same for an action that an exception has ended.
void add_broken_end(AuditRecord& record);

/// The answer of /api/concerto/audit. `is_kept`: whether there is an audit log.
std::string audit_json(const AuditPage& page, bool is_kept);

/// The answer to an action whose record could not be written.
void answer_unrecorded(const Error& error, HttpResponse& answer);
void answer_unrecorded(const Error& error, GrpcReply& answer);

/// Carries out an action between its two records. `action` has not begun; without the first record
/// it never does. An exception of the action, as when a stop cuts it off, is passed on after the
/// second record. `audit` must outlive the action.
template <class Answer>
Task<Answer> audited(ActionAudit& audit, AuditRecord record, Task<Answer> action) {
  if (record.id.empty()) record.id = audit.next_id();
  AuditRecord begun = record;
  const Result<> written = co_await audit.write(std::move(begun));
  Answer answer;
  if (!written) {
    answer_unrecorded(written.error(), answer);
    co_return answer;
  }
  std::exception_ptr broken;
  try {
    answer = co_await std::move(action);
  } catch (...) {
    broken = std::current_exception();
  }
  if (broken) {
    co_await asio::this_coro::throw_if_cancelled(false);
    add_broken_end(record);
  } else {
    add_end(record, answer);
  }
  ignore_error(co_await audit.write(std::move(record)), "it has happened, and the log tells why");
  if (broken) std::rethrow_exception(broken);
  co_return answer;
}

/// Answers a request that the gate refuses.
template <class Answer>
Task<Answer> audited_refusal(ActionAudit& audit, AuditRecord record, Answer answer) {
  record.id = audit.next_id();
  add_end(record, answer);
  record.event = AuditRecord::Event::refused;
  ignore_error(co_await audit.write(std::move(record)), "nothing has happened");
  co_return answer;
}

}  // namespace concerto::net
