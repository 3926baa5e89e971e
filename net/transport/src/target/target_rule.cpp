#include "target/target_rule.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <concerto/base/edit_distance.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

constexpr std::array<std::string_view, 4> schemes{"http", "https", "grpc", "etcd"};

constexpr std::string_view link_local[] = {"169.254.0.0/16", "fe80::/10"};
constexpr std::string_view multicast[] = {"224.0.0.0/4", "ff00::/8"};
constexpr std::string_view broadcast[] = {"255.255.255.255"};
/// On Linux a connection to these addresses reaches the machine itself.
constexpr std::string_view unspecified[] = {"0.0.0.0/8", "::"};
constexpr std::string_view loopback[] = {"127.0.0.0/8", "::1"};
constexpr std::string_view private_use[] = {"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
                                            "100.64.0.0/10", "fc00::/7",      "fec0::/10"};
/// What is not link-local of the metadata services: of AWS (with EKS), Google, Alibaba, Azure,
/// Oracle, Scaleway and Volcengine. The names are for proxies, which look names up themselves.
constexpr std::string_view metadata[] = {"169.254.169.254",
                                         "fd00:ec2::254",
                                         "fd00:ec2::23",
                                         "fd20:ce::254",
                                         "100.100.100.200",
                                         "168.63.129.16",
                                         "192.0.0.192",
                                         "fd00:42::42",
                                         "100.96.0.96",
                                         "metadata.goog",
                                         "metadata.google.internal",
                                         "instance-data.ec2.internal",
                                         "metadata.tencentyun.com"};

struct Group {
  std::string_view word;
  std::span<const std::string_view> members;
};
constexpr Group groups[] = {{"metadata", metadata},       {"link-local", link_local},
                            {"multicast", multicast},     {"broadcast", broadcast},
                            {"unspecified", unspecified}, {"loopback", loopback},
                            {"private", private_use}};

bool stands_in_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_name(std::string_view name) noexcept {
  const std::string_view labels = name.starts_with('.') ? name.substr(1) : name;
  return !labels.empty() && !labels.starts_with('.') && labels.find("..") == labels.npos &&
         std::ranges::all_of(labels, stands_in_name) && !read_address(labels);
}

/// Removes `:port` or `:first-last` from the end of `rule`. False if it is malformed.
bool take_ports(std::string_view& rule, TargetRule& into) {
  const std::size_t colon = rule.rfind(':');
  const bool is_bare_v6 = rule.find(':') != colon && !rule.starts_with('[');
  const std::size_t bracket = rule.rfind(']');
  if (colon == rule.npos || is_bare_v6) return true;
  if (bracket != rule.npos && bracket > colon) return true;
  const std::string_view ports = rule.substr(colon + 1);
  const std::size_t dash = std::min(ports.find('-'), ports.size());
  const auto first = parse_port(ports.substr(0, dash));
  const auto last = dash == ports.size() ? first : parse_port(ports.substr(dash + 1));
  if (!first || !last || *first > *last) return false;
  into.port_min = *first;
  into.port_max = *last;
  rule = rule.substr(0, colon);
  return true;
}

bool take_host(std::string_view host, TargetRule& into) {
  if (host == "*") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (const auto range = read_range(host)) {
    into.kind = TargetRule::Kind::range;
    into.range = *range;
    return true;
  }
  if (host.starts_with("*.")) host.remove_prefix(1);
  host = without_last_dot(host);
  if (!is_name(host)) return false;
  into.kind = host.starts_with('.') ? TargetRule::Kind::names_below : TargetRule::Kind::name;
  into.name = host;
  return true;
}

/// A name without dot, scheme and port that is nearly the word of a group. Taken for a host, it
/// would protect nobody. Null if there is no such word.
const Group* group_like(std::string_view text) {
  constexpr std::size_t typos_max = 2;
  constexpr std::size_t word_bytes_max = 20;
  if (text.size() > word_bytes_max || text.find_first_of(".:*[/") != text.npos) return nullptr;
  const auto group = std::ranges::find_if(groups, [text](const Group& one) {
    const std::size_t distance = edit_distance(text, one.word);
    return distance > 0 && distance <= typos_max;
  });
  return group == std::end(groups) ? nullptr : group;
}

/// Adds what one text of a list stands for: several rules for the word of a group.
Result<> add_rules(std::string_view text, std::vector<TargetRule>& rules) {
  if (const Group* const meant = group_like(text)) {
    return make_error(Errc::invalid_request,
                      "'" + std::string(text) + "' is no group of addresses; '" +
                          std::string(meant->word) +
                          "' was probably meant (the name of a host may have a dot at its end)");
  }
  TargetRule rule;
  rule.text = text;
  std::string_view rest = text;
  const std::size_t mark = text.find("://");
  bool legal = true;
  if (mark != text.npos) {
    rule.scheme = text.substr(0, mark);
    rest.remove_prefix(mark + 3);
    legal = std::ranges::find(schemes, rule.scheme) != schemes.end();
  }
  if (legal && take_ports(rest, rule)) {
    const auto group = std::ranges::find_if(
        groups, [rest](const Group& one) { return equals_ignoring_case(one.word, rest); });
    if (group != std::end(groups)) {
      for (const std::string_view member : group->members) {
        take_host(member, rules.emplace_back(rule));
      }
      return ok();
    }
    if (take_host(rest, rule)) {
      rules.push_back(std::move(rule));
      return ok();
    }
  }
  return make_error(Errc::invalid_request,
                    "expected rules such as b.org, .b.org, https://b.org:443, 10.0.0.0/8, "
                    "grpc://[fd00::/8]:9000-9099 or loopback, found '" +
                        std::string(text) + "'");
}

}  // namespace

std::string_view without_last_dot(std::string_view host) noexcept {
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool TargetRule::has_name(std::string_view host) const noexcept {
  switch (kind) {
    case Kind::any:
      return true;
    case Kind::name:
      return equals_ignoring_case(host, name);
    case Kind::names_below:
      return host.size() > name.size() &&
             equals_ignoring_case(host.substr(host.size() - name.size()), name);
    case Kind::range:
      break;
  }
  return false;
}

Result<std::vector<TargetRule>> read_target_rules(std::string_view list) {
  std::vector<TargetRule> rules;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view text = trim_blanks(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!text.empty()) CONCERTO_CHECK(add_rules(text, rules));
  }
  return rules;
}

}  // namespace concerto::net
