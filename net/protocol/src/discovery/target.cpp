#include "target.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/ip/address_v6.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/base/url_parts.hpp>

#include "target_url.hpp"

namespace concerto::net {
namespace {

constexpr std::uint16_t dns_default_port = 443;  // As in gRPC's own resolver.

constexpr std::array<std::string_view, 11> schemes_not_here = {
    "consul",    "nacos",    "k8s",       "discovery", "polaris",      "daprhttp",
    "daprphttp", "daprgrpc", "daprpgrpc", "unix",      "unix-abstract"};

Error bad_address(std::string_view text, std::string_view reason) {
  return make_error(Errc::invalid_request,
                    "bad address '" + masked_url(text) + "': " + std::string(reason));
}

Error bad_target(std::string_view target, std::string_view reason) {
  return make_error(Errc::invalid_request,
                    "bad target '" + masked_url(target) + "': " + std::string(reason));
}

std::string_view without_slashes(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

/// One `host:port` from `text`, looked up in the DNS.
Result<Target> single_host(std::string_view text, std::optional<std::uint16_t> default_port) {
  CONCERTO_TRY(HostPort host, parse_host_port(text, default_port));
  Target parsed;
  parsed.hosts.push_back(std::move(host));
  parsed.authority = (text.front() == ':' ? "localhost" : "") + std::string(text);
  return parsed;
}

bool stands_in_host(char c) {
  const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  return !is_control && std::string_view(" /,@").find(c) == std::string_view::npos;
}

bool is_ipv6(std::string_view text) {
  if (!std::ranges::all_of(text, stands_in_host)) return false;
  error_code not_one;
  asio::ip::make_address_v6(std::string(text), not_one);
  return !not_one;
}

/// gRPC's own name resolver: without a port it is 443, and an IPv6 address alone needs no brackets.
Result<Target> in_dns(std::string_view text) {
  if (!is_ipv6(text)) return single_host(text, dns_default_port);
  Target parsed;
  parsed.hosts.push_back({std::string(text), dns_default_port});
  parsed.authority = "[" + std::string(text) + "]";
  return parsed;
}

/// The schemes of gRPC's own resolvers that may stand without `//`, as in `dns:host:port`.
constexpr std::array<std::string_view, 4> bare_schemes = {"dns", "passthrough", "unix",
                                                          "unix-abstract"};

/// Parts `scheme:endpoint`; nothing if `target` has no such scheme. A number behind the colon is
/// the port of a host that has the scheme's name.
std::optional<std::pair<std::string, std::string_view>> bare_scheme(std::string_view target) {
  const std::size_t colon = target.find(':');
  if (colon == target.npos || parse_port(target.substr(colon + 1))) return std::nullopt;
  std::string scheme(target.substr(0, colon));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (std::ranges::find(bare_schemes, scheme) == bare_schemes.end()) return std::nullopt;
  return std::pair(std::move(scheme), without_slashes(target.substr(colon + 1)));
}

Result<Target> in_etcd(std::string_view target, const TargetUrl& url) {
  const std::string_view key = without_slashes(url.path);
  if (key.empty()) return bad_target(target, "no key after the hosts");
  Target parsed;
  CONCERTO_TRY(parsed.hosts, parse_host_ports(url.host));
  if (parsed.hosts.size() > target_addresses_max) {
    return bad_target(target, "more than " + std::to_string(target_addresses_max) + " hosts");
  }
  parsed.etcd_key = key;
  parsed.etcd_hosts = url.host;
  auto account = url.account();
  if (!account) return bad_target(target, account.error().detail);
  parsed.etcd_user = std::move(account->user);
  parsed.etcd_password = std::move(account->password);
  return parsed;
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port) {
  const auto parts = split_host_port(text);
  if (!parts) return bad_address(text, parts.error().detail);
  if (!parts->has_brackets && parts->port.find(':') != text.npos) {
    return bad_address(text, "an IPv6 address needs brackets: [::1]:9000");
  }
  const bool is_bare_port = parts->host.empty() && !parts->has_brackets && parts->has_port;
  const std::string_view host = is_bare_port ? host_of_bare_port : parts->host;
  if (host.empty()) return bad_address(text, "no host");
  if (!std::ranges::all_of(host, stands_in_host)) return bad_address(text, "invalid host");
  const auto number = parts->has_port ? parse_port(parts->port) : default_port;
  if (!number) return bad_address(text, parts->has_port ? "invalid port" : "no port");
  HostPort parsed;
  parsed.host = host;
  parsed.port = *number;
  return parsed;
}

Result<std::vector<HostPort>> parse_host_ports(std::string_view list) {
  std::vector<HostPort> hosts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) {
      CONCERTO_TRY(HostPort host, parse_host_port(list.substr(begin, end - begin)));
      hosts.push_back(std::move(host));
    }
    begin = end + 1;
  }
  if (hosts.empty()) return bad_address(list, "no host");
  return hosts;
}

Error scheme_error(std::string_view scheme) {
  const std::string name(scheme);
  const auto known = std::find(schemes_not_here.begin(), schemes_not_here.end(), scheme);
  if (known == schemes_not_here.end()) {
    return make_error(Errc::invalid_request, "unknown scheme: " + name);
  }
  return make_error(Errc::not_supported, "scheme '" + name + "' is not in this version");
}

Result<Target> parse_target(std::string_view target) {
  if (target.find("://") == target.npos) {
    const auto bare = bare_scheme(target);
    if (!bare) return single_host(target, std::nullopt);
    if (bare->first == "dns") return in_dns(bare->second);
    if (bare->first == "passthrough") return single_host(bare->second, std::nullopt);
    return scheme_error(bare->first);
  }
  auto url = parse_target_url(target);
  if (!url) return bad_target(target, url.error().detail);
  if (url->scheme == "etcd" || url->scheme == "discov") return in_etcd(target, *url);

  const std::string_view endpoint = without_slashes(url->path);
  const bool is_dns = url->scheme == "dns";
  if (is_dns && !url->host.empty()) {
    return bad_target(target, "a name server of one's own cannot be given; use dns:///host:port");
  }
  if (is_dns) return in_dns(endpoint);
  if (url->scheme == "passthrough") return single_host(endpoint, std::nullopt);
  if (url->scheme != "direct") return scheme_error(url->scheme);

  Target parsed;
  CONCERTO_TRY(parsed.hosts, parse_host_ports(endpoint));
  if (parsed.hosts.size() > target_addresses_max) parsed.hosts.resize(target_addresses_max);
  return parsed;
}

}  // namespace concerto::net
