#pragma once

#include <concerto/base/error.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_status.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The class of an error for the protocol's clients (protocol page 02, section 2; page 03,
/// section 4). Every front end answers by this one table.
enum class AnswerClass {
  failure,          ///< the request did not and will not do what it asked for
  ongoing,          ///< not finished; ask again
  overloaded,       ///< nothing happened; try later
  busy,             ///< nothing happened, as the store is busy or away; try later
  unknown_outcome,  ///< this process cannot tell: it stops, or its store failed
  deadline,         ///< the caller's time is over
  plain,            ///< a branch's or a handler's error without a class of its own
  rejected,         ///< wrong input, or what the request is about is not there
};

AnswerClass answer_class(const error_code& code) noexcept;

/// The HTTP answer: status, and a JSON body with the error's text.
HttpResponse http_answer(const Error& error);

/// The gRPC status. An error that carries a gRPC status keeps its code.
GrpcStatus grpc_answer(const Error& error);

/// The answers to a request that the gate refuses.
HttpResponse http_answer(const Refusal& refusal);
GrpcStatus grpc_answer(const Refusal& refusal);

}  // namespace concerto::net
