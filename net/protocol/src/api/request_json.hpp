#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/protocol/request_messages.hpp>

namespace concerto::net {

/// Like trans_request_from_json, but for a value inside a JSON text: the params of JSON-RPC
/// (protocol page 02, section 9). The gid is not changed. Error: invalid_request.
Result<TransRequest> trans_request_from(JsonValue object);
Result<BranchRequest> branch_request_from(JsonValue object);

/// Adds the options that are not zero; `concurrent` even if it is false, if `false_concurrent`.
void write_options(boost::json::object& to, const TransOptions& options, bool false_concurrent);

/// The JSON text of a list of steps, in the form that read_json reads.
std::string steps_text(const std::vector<Step>& steps);

}  // namespace concerto::net
