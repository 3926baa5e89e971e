#pragma once

#include <array>
#include <string_view>

#include <concerto/protocol/branch_answers.hpp>

#include "api/answer_bodies.hpp"

namespace concerto::net {

// Reads the answers of branch calls. branch_messages.hpp declares the functions that write them.

/// The words that decide the outcome of an HTTP answer, whatever its status. If an answer has both,
/// the first one of this list counts.
inline constexpr std::array<std::string_view, 2> decisive_words{ongoing_word, failure_word};

/// The outcome of a JSON-RPC answer, by the rule of judge_http_answer and then by `error` in the
/// body.
BranchReply judge_rpc_answer(unsigned status, std::string_view body);

}  // namespace concerto::net
