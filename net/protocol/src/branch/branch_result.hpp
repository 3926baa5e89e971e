#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_call.hpp>

#include "api/answer_bodies.hpp"

namespace concerto::net {

// The answers of branch calls, as their callers read them. branch_messages.hpp declares the
// functions that write them.

/// What the end of a gRPC call means (protocol page 04, section 3).
BranchReply branch_reply(const GrpcReply& reply);

/// The words that decide what an HTTP answer means, whatever its status; the first one there wins.
inline constexpr std::array<std::string_view, 2> decisive_words{ongoing_word, failure_word};

/// What an HTTP answer means (protocol page 01, section 5). `body` may be its beginning: bit i of
/// `words_beyond` says that decisive_words[i] is in the rest.
BranchReply judge_http_answer(unsigned status, std::string_view body,
                              std::uint32_t words_beyond = 0);

/// What a JSON-RPC answer means: the rule above, then `error` in the body.
BranchReply judge_rpc_answer(unsigned status, std::string_view body);

}  // namespace concerto::net
