#pragma once

#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_metadata.hpp>

namespace concerto::net {

/// The metadata of a branch call: `dtm-gid` and the other `dtm-` fields, then the transaction's
/// branch_headers. received_call reads the `dtm-` fields.
///
/// Headers that the transport itself writes (content-type, te, user-agent, grpc-timeout, ...) are
/// left out, as in the reference. Error invalid_request: a name or value that gRPC cannot carry.
Result<GrpcMetadata> branch_metadata(const BranchCall& call);

/// Checks a call that is not sent yet. Has the errors of branch_metadata. A header that the
/// transport writes is an error too, except content-type and user-agent.
Result<> check_metadata(const BranchCall& call);

}  // namespace concerto::net
