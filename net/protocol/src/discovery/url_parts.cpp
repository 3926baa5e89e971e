#include "url_parts.hpp"

#include <algorithm>
#include <utility>

#include <concerto/transport/percent.hpp>

namespace concerto::net {
namespace {

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

/// Cuts `text` at the first `separator` and returns what follows it.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == text.npos) return {};
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

/// A list of hosts without the blanks at its commas and ends.
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

std::optional<std::string> UrlParts::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    std::string_view key = rest;
    rest = cut(key, '&');
    const std::string_view value = cut(key, '=');
    if (percent_decode(key, true) == name) return percent_decode(value, true);
  }
  return std::nullopt;
}

Result<UrlParts::Account> UrlParts::account() const {
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

Result<UrlParts> parse_target_url(std::string_view url) {
  if (std::any_of(url.begin(), url.end(), is_control)) return malformed("control character");
  cut(url, '#');
  UrlParts parts;
  parts.query = cut(url, '?');

  const std::size_t colon = url.find(':');
  if (colon == url.npos || !is_scheme(url.substr(0, colon))) return malformed("no scheme");
  parts.scheme = url.substr(0, colon);
  std::transform(parts.scheme.begin(), parts.scheme.end(), parts.scheme.begin(), to_lower);
  url.remove_prefix(colon + 1);
  if (url.substr(0, 2) != "//") return malformed("no '//' after the scheme");
  url.remove_prefix(2);

  const std::string_view authority = url.substr(0, url.find('/'));
  auto path = percent_decode(url.substr(authority.size()), false);
  if (!path) return malformed("invalid escape in the path");
  parts.path = std::move(*path);
  // npos + 1 is 0: no user info.
  parts.host = without_blanks_at_commas(authority.substr(authority.rfind('@') + 1));
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    parts.user_info = authority.substr(0, at);
  }
  if (parts.host.find_first_of(" %<>\"\\^`{|}") != std::string::npos) {
    return malformed("invalid character in the host");
  }
  return parts;
}

}  // namespace concerto::net
