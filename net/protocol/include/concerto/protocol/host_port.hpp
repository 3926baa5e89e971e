#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// An address that may still have to be looked up.
struct HostPort {
  std::string host;  ///< a name, or an IP address without brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// `host:port`, `1.2.3.4:port` or `[::1]:port`; `:port` is this machine, as for Go's dialer.
/// Without a port `default_port` is taken, if given. Error invalid_request.
[[nodiscard]] CONCERTO_EXPORT Result<HostPort> parse_host_port(
    std::string_view text, std::optional<std::uint16_t> default_port = {});

/// `h1:p1,h2:p2`; at least one. Error invalid_request.
[[nodiscard]] CONCERTO_EXPORT Result<std::vector<HostPort>> parse_host_ports(std::string_view list);

/// Whether a host's name or address may have this character.
CONCERTO_EXPORT bool stands_in_host(char c) noexcept;

}  // namespace concerto::net
