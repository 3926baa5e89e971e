#pragma once

#include <string_view>

#include <concerto/client/client_error.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/protocol/answer_messages.hpp>

namespace concerto::client::detail {

/// The error of an answer of the coordinator that is not ok.
Error error_of(const net::ReceivedAnswer& answer);
/// The error of a transport that brought no answer.
Error error_of(const Error& error);
/// The error of a branch that did not succeed. `text` is the answer as it came.
Error error_of(const BranchReply& reply, std::string_view text);

}  // namespace concerto::client::detail
