#pragma once

#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/grpc_call.hpp>

namespace concerto::net {

/// The metadata of a branch call: dtm-gid and its kin, then the transaction's branch_headers.
///
/// Headers that the transport itself writes (content-type, te, user-agent, grpc-timeout, ...) are
/// left out, as by the reference. Error invalid_request: a name or value that gRPC cannot carry.
Result<GrpcMetadata> branch_metadata(const BranchCall& call);

/// The errors of branch_metadata, for a call that is not to be sent yet; and a header that the
/// transport writes is one too, unless that is content-type or user-agent.
Result<> check_metadata(const BranchCall& call);

/// What the end of a branch call means (protocol page 04, section 3).
BranchReply branch_reply(const GrpcReply& reply);

}  // namespace concerto::net
