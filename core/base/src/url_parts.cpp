#include <algorithm>
#include <charconv>

#include <concerto/base/url_parts.hpp>

namespace concerto {
namespace {

bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool stands_in_scheme(char c) noexcept {
  return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_alpha(text.front()) && std::ranges::all_of(text, stands_in_scheme);
}

/// Cuts `text` at the first `mark`, and returns what follows the mark.
std::string_view cut(std::string_view& text, char mark) noexcept {
  const std::size_t at = text.find(mark);
  if (at == text.npos) return {};
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

Error malformed(const char* reason) {
  return make_error(Errc::invalid_request, reason);
}

}  // namespace

Result<UrlParts> split_url(std::string_view text) {
  UrlParts parts;
  cut(text, '#');
  parts.query = cut(text, '?');
  const std::size_t colon = text.find(':');
  if (colon == text.npos || !is_scheme(text.substr(0, colon))) return malformed("no scheme");
  parts.scheme = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  if (!text.starts_with("//")) return malformed("no '//' after the scheme");
  text.remove_prefix(2);
  const UrlAuthority authority = split_authority(text.substr(0, text.find('/')));
  parts.userinfo = authority.userinfo;
  parts.host = authority.host;
  parts.path = text.substr(std::min(text.find('/'), text.size()));
  return parts;
}

UrlAuthority split_authority(std::string_view authority) noexcept {
  const std::size_t at = authority.rfind('@');
  if (at == authority.npos) return {false, {}, authority};
  return {true, authority.substr(0, at), authority.substr(at + 1)};
}

bool has_control_character(std::string_view text) noexcept {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<HostAndPort> split_host_port(std::string_view text) {
  HostAndPort parts;
  parts.has_brackets = text.starts_with('[');
  if (parts.has_brackets) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return malformed("no ']'");
    parts.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return malformed("no ':' after ']'");
  } else {
    parts.host = text.substr(0, text.find(':'));
    text.remove_prefix(parts.host.size());
  }
  parts.has_port = !text.empty();
  if (parts.has_port) parts.port = text.substr(1);
  return parts;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, failure] = std::from_chars(text.data(), end, port);
  if (failure != std::errc{} || parsed_to != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace concerto
