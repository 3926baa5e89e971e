#pragma once

#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_metadata.hpp>

namespace concerto::net {

/// The metadata of a branch call: dtm-gid and its kin, then the transaction's branch_headers.
/// received_call reads what stands before them.
///
/// Headers that the transport itself writes (content-type, te, user-agent, grpc-timeout, ...) are
/// left out, as by the reference. Error invalid_request: a name or value that gRPC cannot carry.
Result<GrpcMetadata> branch_metadata(const BranchCall& call);

/// The errors of branch_metadata, for a call that is not to be sent yet; and a header that the
/// transport writes is one too, unless that is content-type or user-agent.
Result<> check_metadata(const BranchCall& call);

}  // namespace concerto::net
