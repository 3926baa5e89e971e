// The keys about who reaches the ports.
#include "config_keys.hpp"

namespace concerto::tools {
namespace {

#define CONCERTO_FIELD(member) [](Config& c) -> auto& { return c.member; }

const KeyRow rows[] = {
    {"Proxies.Trusted", CONCERTO_FIELD(proxies.trusted),
     "addresses of proxies whose X-Forwarded-For says who the client is, as 10.0.0.7,fd00::/64; "
     "empty: none"},
    {"Proxies.ProxyProtocol", CONCERTO_FIELD(proxies.proxy_protocol),
     "ports, as http,grpc, where connections of Proxies.Trusted begin with a header of the PROXY "
     "protocol, version 2; empty: nowhere"},
};

#undef CONCERTO_FIELD

}  // namespace

std::span<const KeyRow> client_rows() {
  return rows;
}

}  // namespace concerto::tools
