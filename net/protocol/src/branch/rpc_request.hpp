#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The body of a JSON-RPC branch call (protocol page 04, section 4): the method is the query
/// parameter `method` of the URL, the params are the payload with gid, trans_type, branch_id and
/// op added. The payload's text stays as it is, so that no number changes its form. Errors:
/// HttpErrc::bad_payload. received_rpc_call reads such a body.
Result<std::string> rpc_request_body(const BranchCall& call, std::string_view id);

/// Whether such a body can be made of a payload: blank, or a JSON object. Errors:
/// HttpErrc::bad_payload.
Result<> check_rpc_payload(std::string_view payload);

}  // namespace concerto::net
