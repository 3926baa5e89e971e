#include <algorithm>
#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/protocol/host_port.hpp>

namespace concerto::net {
namespace {

Error bad_address(std::string_view text, std::string_view reason) {
  return make_error(Errc::invalid_request,
                    "bad address '" + masked_url(text) + "': " + std::string(reason));
}

}  // namespace

bool stands_in_host(char c) noexcept {
  const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  return !is_control && std::string_view(" /,@").find(c) == std::string_view::npos;
}

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

}  // namespace concerto::net
