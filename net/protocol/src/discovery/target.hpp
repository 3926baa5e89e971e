#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// An address that may still have to be looked up.
struct HostPort {
  std::string host;  ///< a name, or an IP address without brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// `host:port`, `1.2.3.4:port` or `[::1]:port`; `:port` is this machine, as for Go's dialer.
/// Without a port `default_port` is taken, if given.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text,
                                               std::optional<std::uint16_t> default_port = {});

/// `h1:p1,h2:p2`; at least one.
[[nodiscard]] Result<std::vector<HostPort>> parse_host_ports(std::string_view list);

/// More addresses of one target than this are not used (as in go-zero's resolvers), and a target
/// that names more members of an etcd is refused: each has a channel and look-ups of its own.
inline constexpr std::size_t target_addresses_max = 32;

/// What a channel connects to.
struct Target {
  std::vector<HostPort> hosts;  ///< of the service, or of the etcd that knows it
  std::string etcd_key;         ///< not empty: the values below `<etcd_key>/` are the addresses
  std::string etcd_hosts;       ///< with a key: the hosts as they were given
  std::string etcd_user;        ///< with a key: for etcd; empty: the target names none
  std::string etcd_password;
  std::string authority;  ///< for the calls' `:authority`; empty: the socket address
};

/// Errors: invalid_request for a malformed target or an unknown scheme, not_supported for a
/// scheme of the protocol that is not in this version.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

/// Why a scheme cannot be used: it is not in this version (not_supported), or nobody knows it
/// (invalid_request).
Error scheme_error(std::string_view scheme);

}  // namespace concerto::net
