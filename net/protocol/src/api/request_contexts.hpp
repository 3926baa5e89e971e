#pragma once

#include <concerto/base/clock.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/transport/address_set.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The context of an HTTP request that arrived at `now`: its client, its trace, and the deadline of
/// its field `Prefer: wait=<seconds>` (RFC 7240, section 4.3), with which a client says how long it
/// waits. A wait that is not a number of seconds is ignored. The client is the peer, or whom the
/// peer names if it is one of `proxies` (forwarded.hpp).
RequestContext context_of(const HttpRequest& request, SteadyTime now, const AddressSet& proxies);

/// The context of a gRPC request: its client, its trace, and its deadline (grpc-timeout).
RequestContext context_of(const GrpcRequest& request, const AddressSet& proxies);
RequestContext context_of(const GrpcServerStream& stream, const AddressSet& proxies);

/// Gives a transaction the `tracestate` that came with the trace of its request. Without a trace it
/// means nothing.
void take_trace_state(TransRequest& trans, const RequestContext& context,
                      const HttpHeaders& headers);
void take_trace_state(TransRequest& trans, const RequestContext& context,
                      const GrpcMetadata& metadata);

}  // namespace concerto::net
