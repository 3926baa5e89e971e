// The keys about who reaches the ports.
#include "config_keys.hpp"

namespace concerto::tools {
namespace {

constexpr KeyRange count{0, 1'000'000'000};

#define CONCERTO_FIELD(member) [](Config& c) -> auto& { return c.member; }

const KeyRow client_key_rows[] = {
    {"Proxies.Trusted", CONCERTO_FIELD(proxies.trusted),
     "addresses of proxies whose X-Forwarded-For says who the client is, as 10.0.0.7,fd00::/64; "
     "empty: none"},
    {"Proxies.ProxyProtocol", CONCERTO_FIELD(proxies.proxy_protocol),
     "ports, as http,grpc,admin, where connections of Proxies.Trusted begin with a header of the "
     "PROXY "
     "protocol, version 2; empty: nowhere"},
    {"Admin.Port", CONCERTO_FIELD(admin.port),
     "HTTP port for everything that viewers and operators do, which the other ports then refuse; "
     "0: "
     "none",
     KeyRange{0, 65'535}},
    {"Admin.ListenAddress", CONCERTO_FIELD(admin.listen_address),
     "IP address of this port, or localhost; *: all interfaces; empty: as ListenAddress"},
    {"Admin.Console", CONCERTO_FIELD(admin.console),
     "1: the web console is served, below AdminBasePath; 0: it is not"},
    {.path = "Limits.RequestsPerSecond",
     .field = CONCERTO_FIELD(client_limits.requests_per_second),
     .help = "requests that one client may send in a second; a client is a caller with a name (see "
             "Auth), or else an address; 0: as many as it likes",
     .range = count,
     .reloads = true},
    {.path = "Limits.Burst",
     .field = CONCERTO_FIELD(client_limits.burst),
     .help = "requests that a client may send at once when it was quiet before; 0: those of a "
             "second",
     .range = count,
     .reloads = true},
    {.path = "Limits.BytesPerSecond",
     .field = CONCERTO_FIELD(client_limits.bytes_per_second),
     .help = "bytes of requests that one client may send in a second; 0: as many as it likes",
     .range = KeyRange{0},
     .in_bytes = true,
     .reloads = true},
    {.path = "Limits.Connections",
     .field = CONCERTO_FIELD(client_limits.connections),
     .help = "open connections of one address at HttpPort and GrpcPort together; 0: no limit",
     .range = count,
     .reloads = true},
    {.path = "Limits.Exempt",
     .field = CONCERTO_FIELD(client_limits.exempt),
     .help = "addresses without such limits, as 127.0.0.0/8,10.0.0.7; empty: none",
     .reloads = true},
};

#undef CONCERTO_FIELD

}  // namespace

std::span<const KeyRow> client_rows() {
  return client_key_rows;
}

}  // namespace concerto::tools
