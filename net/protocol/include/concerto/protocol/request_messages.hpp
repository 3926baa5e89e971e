#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::net {

// The requests of the protocol, each with its writer and its reader. A writer leaves out what has
// its default, the gid too. Reading gives back what was written, except `topics`, which is the
// coordinator's.

/// The object of the HTTP interface (protocol page 02, section 3). Its texts, payloads too, must be
/// UTF-8.
CONCERTO_EXPORT std::string json_of(const TransRequest& request);
/// Fields that the protocol does not have, storage fields and null count as absent; names match
/// without case; `\n`, `\r` and `;` are taken out of the gid. Error invalid_request names the field
/// and the kind of its value.
CONCERTO_EXPORT Result<TransRequest> trans_request_from_json(std::string_view body);

/// The object of registerBranch, whose values are all strings (section 4.6).
CONCERTO_EXPORT std::string json_of(const BranchRequest& request);
/// Error invalid_request.
CONCERTO_EXPORT Result<BranchRequest> branch_request_from_json(std::string_view body);

/// The bytes of a dtmgimp.DtmRequest (protocol page 03, section 3). The message has no field for
/// `protocol`, which is always grpc, and none for `concurrent`, which custom_data has.
CONCERTO_EXPORT std::string proto_of(const TransRequest& request);
/// The gid is taken as it is. Error invalid_request.
CONCERTO_EXPORT Result<TransRequest> trans_request_from_proto(std::string_view message);

/// The bytes of a dtmgimp.DtmBranchRequest.
CONCERTO_EXPORT std::string proto_of(const BranchRequest& request);
/// Error invalid_request.
CONCERTO_EXPORT Result<BranchRequest> branch_request_from_proto(std::string_view message);

}  // namespace concerto::net
