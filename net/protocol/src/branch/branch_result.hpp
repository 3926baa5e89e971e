#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_call.hpp>

#include "api/answer_bodies.hpp"

namespace concerto::net {

// Reads the answers of branch calls. branch_messages.hpp declares the functions that write them.

/// The outcome of a gRPC call (protocol page 04, section 3).
BranchReply branch_reply(const GrpcReply& reply);

/// The words that decide the outcome of an HTTP answer, whatever its status. If an answer has both,
/// the first one of this list counts.
inline constexpr std::array<std::string_view, 2> decisive_words{ongoing_word, failure_word};

/// The outcome of an HTTP answer (protocol page 01, section 5). If `body` is only the beginning of
/// the body, bit i of `words_beyond` says whether decisive_words[i] is in the rest.
BranchReply judge_http_answer(unsigned status, std::string_view body,
                              std::uint32_t words_beyond = 0);

/// The outcome of a JSON-RPC answer, by the rule of judge_http_answer and then by `error` in the
/// body.
BranchReply judge_rpc_answer(unsigned status, std::string_view body);

}  // namespace concerto::net
