#pragma once

#include <concerto/base/error.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_status.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The class of an error, by which all front ends answer (protocol page 02, section 2; page 03,
/// section 4).
enum class AnswerClass {
  failure,          ///< what the request asked for did not and will not happen
  ongoing,          ///< the transaction is not finished; ask again
  overloaded,       ///< nothing happened; try later
  busy,             ///< nothing happened, because the store is busy or away; try later
  unknown_outcome,  ///< this process cannot know the outcome: it shuts down, or its store failed
  deadline,         ///< the caller's deadline has passed
  plain,            ///< an error of a branch or of a handler that has no other class
  rejected,         ///< the input is wrong, or the transaction does not exist
};

AnswerClass answer_class(const error_code& code) noexcept;

/// The HTTP answer: a status, and a JSON body with the error's text.
HttpResponse http_answer(const Error& error);

/// The gRPC status. An error that carries a gRPC status keeps its code.
GrpcStatus grpc_answer(const Error& error);

/// The answers to a request that the gate refuses.
HttpResponse http_answer(const Refusal& refusal);
GrpcStatus grpc_answer(const Refusal& refusal);

}  // namespace concerto::net
