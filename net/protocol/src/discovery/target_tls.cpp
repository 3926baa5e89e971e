#include "target_tls.hpp"

#include <algorithm>
#include <string_view>

#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

bool names(std::string_view entry, std::string_view name) {
  if (entry == "*") return true;
  if (!entry.starts_with('.')) return equals_ignoring_case(entry, name);
  return name.size() > entry.size() &&
         equals_ignoring_case(name.substr(name.size() - entry.size()), entry);
}

bool is_listed(std::string_view name, const std::vector<std::string>& list) {
  return std::ranges::any_of(list, [name](const std::string& entry) { return names(entry, name); });
}

}  // namespace

bool uses_tls(const Target& target, const std::vector<std::string>& list) {
  if (!target.key.empty()) return is_listed(target.key, list);
  return std::ranges::any_of(target.hosts,
                             [&list](const HostPort& host) { return is_listed(host.host, list); });
}

std::string tls_host(const Target& target) {
  if (!target.key.empty() || target.hosts.empty()) return {};
  const std::string& first = target.hosts.front().host;
  const bool is_shared = std::ranges::all_of(
      target.hosts, [&first](const HostPort& host) { return host.host == first; });
  return is_shared ? first : std::string{};
}

}  // namespace concerto::net
