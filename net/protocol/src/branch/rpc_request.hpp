#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The body of a JSON-RPC branch call (protocol page 04, section 4). The method is the query
/// parameter `method` of the URL. The params are the payload, to which gid, trans_type, branch_id
/// and op are added. The payload's text is not changed, so that numbers keep their form. Errors:
/// HttpErrc::bad_payload. received_rpc_call reads such a body.
Result<std::string> rpc_request_body(const BranchCall& call, std::string_view id);

/// Checks that a payload can become such a body: it must be blank or a JSON object. Errors:
/// HttpErrc::bad_payload.
Result<> check_rpc_payload(std::string_view payload);

}  // namespace concerto::net
