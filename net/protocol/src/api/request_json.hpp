#pragma once

#include <string>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/protocol/request_messages.hpp>

namespace concerto::net {

/// What trans_request_from_json reads, as a value within a text: the params of JSON-RPC (protocol
/// page 02, section 9). The gid is taken as it is. Error invalid_request.
Result<TransRequest> trans_request_from(JsonValue object);
Result<BranchRequest> branch_request_from(JsonValue object);

/// The JSON text of a list of steps, as read_json reads it.
std::string steps_text(const std::vector<Step>& steps);

}  // namespace concerto::net
