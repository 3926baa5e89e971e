#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The URL of an HTTP branch call: `call.url` without fragment, with branch_id, gid, op and
/// trans_type after its own query (protocol page 04, section 2). received_call reads them.
std::string branch_url(const BranchCall& call);

}  // namespace concerto::net
