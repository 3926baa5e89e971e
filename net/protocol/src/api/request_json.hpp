#pragma once

#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::net {

/// The transaction object of the HTTP and JSON-RPC interfaces (protocol page 02, section 3). Fields
/// that it does not know, storage fields and null count as absent; names match without case. Error
/// invalid_request names the field and the kind of its value.
Result<TransRequest> trans_request_from(JsonValue object);
/// The same from the body of an HTTP request: `\n`, `\r` and `;` are taken out of the gid.
Result<TransRequest> trans_request_from_json(std::string_view body);

/// The object of registerBranch, whose values are all strings (section 4.6). Error invalid_request.
Result<BranchRequest> branch_request_from(JsonValue object);
Result<BranchRequest> branch_request_from_json(std::string_view body);

}  // namespace concerto::net
