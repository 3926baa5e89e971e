#pragma once

#include <concerto/base/clock.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The context of an HTTP request that arrived at `now`: its peer, its trace, and the deadline of
/// its field `Prefer: wait=<seconds>` (RFC 7240, section 4.3), with which a client says how long it
/// waits. A wait that is not a number of seconds is ignored.
RequestContext context_of(const HttpRequest& request, SteadyTime now);

/// The context of a gRPC request: its peer, its trace, and its deadline (grpc-timeout).
RequestContext context_of(const GrpcRequest& request);
RequestContext context_of(const GrpcServerStream& stream);

}  // namespace concerto::net
