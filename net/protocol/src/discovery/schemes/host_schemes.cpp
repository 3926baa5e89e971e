#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/ip/address_v6.hpp>

#include "discovery/schemes/schemes.hpp"

namespace concerto::net {
namespace {

constexpr std::uint16_t dns_default_port = 443;  // The default of gRPC's own resolver.

bool is_ipv6(std::string_view text) {
  if (!std::ranges::all_of(text, stands_in_host)) return false;
  error_code not_one;
  asio::ip::make_address_v6(std::string(text), not_one);
  return !not_one;
}

/// The default port is 443. An IPv6 address without a port needs no brackets.
Result<Target> read_dns(std::string_view text, const TargetUrl& url) {
  if (!url.host.empty()) {
    return bad_target(text, "a name server of one's own cannot be given; use dns:///host:port");
  }
  const std::string_view endpoint = without_slashes(url.path);
  if (!is_ipv6(endpoint)) return single_host(endpoint, dns_default_port);
  Target target;
  target.hosts.push_back({std::string(endpoint), dns_default_port});
  target.authority = "[" + std::string(endpoint) + "]";
  return target;
}

Result<Target> read_passthrough(std::string_view /*text*/, const TargetUrl& url) {
  return single_host(without_slashes(url.path));
}

Result<Target> read_direct(std::string_view /*text*/, const TargetUrl& url) {
  Target target;
  CONCERTO_TRY(target.hosts, parse_host_ports(without_slashes(url.path)));
  if (target.hosts.size() > target_addresses_max) target.hosts.resize(target_addresses_max);
  return target;
}

}  // namespace

std::string_view without_slashes(std::string_view path) noexcept {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

Result<Target> single_host(std::string_view text, std::optional<std::uint16_t> default_port) {
  CONCERTO_TRY(HostPort host, parse_host_port(text, default_port));
  Target target;
  target.hosts.push_back(std::move(host));
  target.authority = (text.front() == ':' ? "localhost" : "") + std::string(text);
  return target;
}

TargetScheme dns_scheme() {
  TargetScheme scheme;
  scheme.name = "dns";
  scheme.stands_bare = true;
  scheme.parse = read_dns;
  return scheme;
}

TargetScheme passthrough_scheme() {
  TargetScheme scheme;
  scheme.name = "passthrough";
  scheme.stands_bare = true;
  scheme.parse = read_passthrough;
  return scheme;
}

TargetScheme direct_scheme() {
  TargetScheme scheme;
  scheme.name = "direct";
  scheme.parse = read_direct;
  return scheme;
}

}  // namespace concerto::net
