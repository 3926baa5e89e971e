#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The URL of an HTTP branch call: `call.url` without its fragment, and with branch_id, gid, op and
/// trans_type after its own query (protocol page 04, section 2). received_call reads these
/// parameters.
std::string branch_url(const BranchCall& call);

}  // namespace concerto::net
