#pragma once

#include <concerto/protocol/request_limiter.hpp>
#include <concerto/transport/address_set.hpp>

#include "config.hpp"

namespace concerto::tools {

/// What the section Proxies says.
struct Proxies {
  net::AddressSet trusted;
  // The ports where their connections begin with a header of the PROXY protocol.
  bool greet_http = false;
  bool greet_grpc = false;
  bool greet_admin = false;
};

/// The error names the key.
[[nodiscard]] Result<Proxies> read_proxies(const ProxiesConfig& config);

/// What the section Limits says of requests, and the addresses that no limit holds for. The error
/// names the key.
[[nodiscard]] Result<net::RequestLimits> read_limits(const ClientLimitsConfig& config);

/// Where the admin port listens, in the form of ListenAddress.
std::string admin_address(const Config& config);

/// Checks the keys about who reaches the ports.
void check_clients(const Config& config, Findings& findings);

}  // namespace concerto::tools
