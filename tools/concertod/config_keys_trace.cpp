// The keys of traces.
#include "config_keys.hpp"

namespace concerto::tools {
namespace {

#define CONCERTO_FIELD(member) [](Config& c) -> auto& { return c.member; }

const KeyRow trace_key_rows[] = {
    {"Trace.Endpoint", CONCERTO_FIELD(trace.endpoint),
     "collector that gets spans (OTLP over gRPC), as host:4317, or https://host:4317 with TLS as "
     "BranchTls has it; empty: nothing is recorded"},
    {"Trace.Sample", CONCERTO_FIELD(trace.sample),
     "part of the requests without a trace that begin a recorded one, from 0 to 1, as 0.01; a "
     "request with a trace is recorded if its client records it"},
    {.path = "Trace.Headers",
     .field = CONCERTO_FIELD(trace.headers),
     .help = "metadata for the collector, as name=value,name=value",
     .secrecy = Secrecy::secret},
    {"Trace.ServiceName", CONCERTO_FIELD(trace.service_name),
     "name of this service in the spans; the same for all coordinators of a cluster"},
    {"Trace.Propagate", CONCERTO_FIELD(trace.propagate),
     "1: the trace of a client's request (traceparent, tracestate) is stored with its transaction "
     "and sent to the branches; 0: it is not"},
};

#undef CONCERTO_FIELD

}  // namespace

std::span<const KeyRow> trace_rows() {
  return trace_key_rows;
}

}  // namespace concerto::tools
