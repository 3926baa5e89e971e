#pragma once

#include <cstdint>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_call.hpp>

namespace concerto::net {

// How the answer of a branch is read, by the coordinator and by applications that call a branch
// themselves. branch_messages.hpp declares the functions that write the answers.

/// The outcome of a gRPC call (protocol page 04, section 3).
CONCERTO_EXPORT BranchReply branch_reply(const GrpcReply& reply);

/// The outcome of an HTTP answer (protocol page 01, section 5). If `body` is only the beginning of
/// the body, bits 0 and 1 of `words_beyond` say whether ONGOING and FAILURE are in the rest.
CONCERTO_EXPORT BranchReply judge_http_answer(unsigned status, std::string_view body,
                                              std::uint32_t words_beyond = 0);

}  // namespace concerto::net
