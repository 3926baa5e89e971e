#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The words that decide what an HTTP answer means, whatever its status; the first one there wins.
inline constexpr std::array<std::string_view, 2> decisive_words{"ONGOING", "FAILURE"};

/// What an HTTP answer means (protocol page 01, section 5). `body` may be its beginning: bit i of
/// `words_beyond` says that decisive_words[i] is in the rest.
BranchReply judge_http_answer(unsigned status, std::string_view body,
                              std::uint32_t words_beyond = 0);

/// What a JSON-RPC answer means: the rule above, then `error` in the body.
BranchReply judge_rpc_answer(unsigned status, std::string_view body);

}  // namespace concerto::net
