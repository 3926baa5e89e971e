#pragma once

#include <string>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/protocol/request_messages.hpp>

#include "api/json_members.hpp"

namespace concerto::net {

/// Like trans_request_from_json, but for a value inside a JSON text: the params of JSON-RPC
/// (protocol page 02, section 9). The gid is not changed. Error: invalid_request.
Result<TransRequest> trans_request_from(JsonValue object);
Result<BranchRequest> branch_request_from(JsonValue object);

/// Adds the options that are not zero; `concurrent` even if it is false, if `false_concurrent`.
void write_options(JsonMembers& to, const TransOptions& options, bool false_concurrent);

/// About as many bytes as the request takes when it is written, for the first allocation.
std::size_t bytes_of(const TransRequest& request);

/// Appends the JSON of a list of steps, in the form that read_json reads.
void append_steps(std::string& out, const std::vector<Step>& steps);

}  // namespace concerto::net
