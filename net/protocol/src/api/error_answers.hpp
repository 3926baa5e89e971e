#pragma once

#include <string>

#include <concerto/base/error.hpp>
#include <concerto/protocol/answer_messages.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/grpc_status.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

AnswerClass answer_class(const error_code& code) noexcept;

/// The text of an answer: the error's detail, or a sentence where the detail is for operators
/// alone.
std::string client_text(const Error& error);

// answer_messages.hpp declares the readers of these answers.

/// The HTTP answer: a status, and a JSON body with the error's text.
HttpResponse http_answer(const Error& error);

/// The same for what is Concerto's own: its routes, and its parameters of others. There a status
/// says what is wrong; the reference has 500 for all of it.
HttpResponse operator_answer(const Error& error);

/// The gRPC status. An error that carries a gRPC status keeps its code.
GrpcStatus grpc_answer(const Error& error);

/// The answers to a request that the gate refuses.
HttpResponse http_answer(const Refusal& refusal);
GrpcStatus grpc_answer(const Refusal& refusal);

}  // namespace concerto::net
