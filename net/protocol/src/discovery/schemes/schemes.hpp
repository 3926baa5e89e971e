#pragma once

#include <optional>
#include <string_view>

#include <concerto/protocol/target_scheme.hpp>

namespace concerto::net {

/// `dns:///host:port`: gRPC's own resolver.
TargetScheme dns_scheme();
/// `passthrough:///host:port`.
TargetScheme passthrough_scheme();
/// `direct:///h1:p1,h2:p2`: go-zero's list of addresses.
TargetScheme direct_scheme();
/// `etcd://hosts/key` and `discov://hosts/key`: the values below `<key>/` are the addresses.
TargetScheme etcd_scheme(std::string_view name);

/// One `host:port`, looked up in the DNS: what a target without a scheme is, too.
Result<Target> single_host(std::string_view text, std::optional<std::uint16_t> default_port = {});

/// A path without slashes at its ends: the endpoint or the key that a URL names.
std::string_view without_slashes(std::string_view path) noexcept;

}  // namespace concerto::net
