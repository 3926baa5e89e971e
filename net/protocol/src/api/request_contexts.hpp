#pragma once

#include <concerto/base/clock.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Who sent an HTTP request that has come at `now`. The deadline is that of its field
/// `Prefer: wait=<seconds>` (RFC 7240, section 4.3), by which a client says how long it waits; what
/// is not a number of seconds counts as absent.
RequestContext context_of(const HttpRequest& request, SteadyTime now);

/// Who sent a gRPC request, until when it waits (grpc-timeout), and of which trace it is a part.
RequestContext context_of(const GrpcRequest& request);

}  // namespace concerto::net
