#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>
#include <concerto/transport/grpc_status.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

// The coordinator's answers, as a client reads them. Their writers are in the same files of
// net/protocol/src/api.

/// The class of an error, by which all front ends answer (protocol page 02, section 2; page 03,
/// section 4).
enum class AnswerClass {
  failure,          ///< what the request asked for did not and will not happen
  ongoing,          ///< the transaction is not finished; ask again
  overloaded,       ///< nothing happened; try later
  busy,             ///< nothing happened, because the store is busy or away; try later
  late,             ///< the store has not answered: it may happen; repeat it later
  unknown_outcome,  ///< this process cannot know the outcome: it shuts down, or its store closed
  deadline,         ///< the caller's deadline has passed
  plain,            ///< an error of a branch or of a handler that has no other class
  rejected,         ///< the input is wrong, or the transaction does not exist
};

/// What the coordinator answered to a request. Not every class has a number of its own in every
/// interface; where several share one, the reader takes the one that promises least.
struct CONCERTO_EXPORT ReceivedAnswer {
  std::optional<AnswerClass> error;  ///< nothing after a success
  std::string text;                  ///< of the error

  bool ok() const noexcept { return !error.has_value(); }
};

/// busy is read as overloaded, deadline as unknown_outcome, and rejected as plain.
CONCERTO_EXPORT ReceivedAnswer answer_from_http(unsigned status, const HttpHeaders& headers,
                                                std::string_view body);
/// busy and late are read as unknown_outcome.
CONCERTO_EXPORT ReceivedAnswer answer_from_grpc(const GrpcStatus& status);
/// Every class but failure is read as plain.
CONCERTO_EXPORT ReceivedAnswer answer_from_rpc(std::string_view body);

// A transaction is read back as far as the answer shows it: without submit_time, waits and
// retry_count, with masked passwords in URLs, and without payloads that were too large to be shown.
// Rows that follow each other share a payload if it is the same. A type that is not in `modes` is
// TransType{}. Error invalid_request names the field that cannot be read.

/// The answer of `query` (protocol page 02, section 7.1), without `why`. Nothing for an unknown
/// gid.
CONCERTO_EXPORT Result<std::optional<Transaction>> query_from_json(std::string_view body,
                                                                   const ModeTable& modes);

/// The answer of `all` (section 7.2), whose transactions have no branches.
CONCERTO_EXPORT Result<TransPage> page_from_json(std::string_view body, const ModeTable& modes);

/// The answer of `prepareWorkflow` (section 4.7).
CONCERTO_EXPORT Result<Transaction> workflow_from_json(std::string_view body,
                                                       const ModeTable& modes);

/// The bytes of a dtmgimp.DtmProgressesReply, which has gid, status, rollback_reason and result of
/// a workflow, and status, payload, branch_id and op of its rows.
CONCERTO_EXPORT Result<Transaction> workflow_from_proto(std::string_view message);

}  // namespace concerto::net
