#pragma once

#include <optional>
#include <string_view>

#include <concerto/protocol/target_scheme.hpp>

namespace concerto::net {

/// `dns:///host:port`, as in gRPC's own resolver.
TargetScheme dns_scheme();
/// `passthrough:///host:port`.
TargetScheme passthrough_scheme();
/// `direct:///h1:p1,h2:p2`: go-zero's list of addresses.
TargetScheme direct_scheme();
/// `etcd://hosts/key` and `discov://hosts/key`: the values below `<key>/` are the addresses.
TargetScheme etcd_scheme(std::string_view name);

/// One `host:port` whose name is looked up. A target without a scheme is this too.
Result<Target> single_host(std::string_view text, std::optional<std::uint16_t> default_port = {});

/// The path without the slashes at its ends: the address or the key of a URL.
std::string_view without_slashes(std::string_view path) noexcept;

}  // namespace concerto::net
