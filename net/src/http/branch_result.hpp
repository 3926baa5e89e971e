#pragma once

#include <string_view>

#include <concerto/core/branch_caller.hpp>

namespace concerto::net {

/// What an HTTP answer means (protocol page 01, section 5): the substrings decide whatever the
/// status, ONGOING before FAILURE.
BranchReply judge_http_answer(unsigned status, std::string_view body);

/// What a JSON-RPC answer means: the rule above, then `error` in the body.
BranchReply judge_rpc_answer(unsigned status, std::string_view body);

}  // namespace concerto::net
