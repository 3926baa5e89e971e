#include <algorithm>
#include <utility>

#include <concerto/base/url_parts.hpp>
#include <concerto/protocol/target_url.hpp>
#include <concerto/transport/percent.hpp>

namespace concerto::net {
namespace {

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Cuts `text` at the first `separator` and returns what follows the separator.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == text.npos) return {};
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

/// Removes the blanks at the commas and at the ends of a list of hosts.
std::string without_blanks_at_commas(std::string_view list) {
  std::string hosts;
  for (const char c : list) {
    if (c == ' ' && (hosts.empty() || hosts.back() == ',')) continue;
    if (c == ',') hosts.erase(hosts.find_last_not_of(' ') + 1);  // npos + 1 is 0.
    hosts += c;
  }
  hosts.erase(hosts.find_last_not_of(' ') + 1);
  return hosts;
}

Error malformed(const char* reason) {
  return make_error(Errc::invalid_request, reason);
}

}  // namespace

std::optional<std::string> TargetUrl::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    std::string_view key = rest;
    rest = cut(key, '&');
    const std::string_view value = cut(key, '=');
    if (percent_decode(key, true) == name) return percent_decode(value, true);
  }
  return std::nullopt;
}

Result<TargetUrl::Account> TargetUrl::account() const {
  std::string_view name = user_info;
  const std::string_view secret = cut(name, ':');
  auto user = percent_decode(name, false);
  auto password = percent_decode(secret, false);
  if (!user || !password) return malformed("invalid escape in user or password");
  Account account;
  account.user = std::move(*user);
  account.password = std::move(*password);
  return account;
}

Result<TargetUrl> parse_target_url(std::string_view text) {
  if (has_control_character(text)) return malformed("control character");
  CONCERTO_TRY(const UrlParts parts, split_url(text));
  TargetUrl url;
  url.scheme = parts.scheme;
  std::ranges::transform(url.scheme, url.scheme.begin(), to_lower);
  auto path = percent_decode(parts.path, false);
  if (!path) return malformed("invalid escape in the path");
  url.path = std::move(*path);
  url.user_info = parts.userinfo;
  url.host = without_blanks_at_commas(parts.host);
  url.query = parts.query;
  if (url.host.find_first_of(" %<>\"\\^`{|}") != std::string::npos) {
    return malformed("invalid character in the host");
  }
  return url;
}

}  // namespace concerto::net
