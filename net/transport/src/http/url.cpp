#include <algorithm>
#include <array>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/percent.hpp>
#include <concerto/transport/url.hpp>

namespace concerto::net {
namespace {

constexpr auto npos = std::string_view::npos;

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_legal_host(std::string_view host, bool is_ipv6) noexcept {
  const std::string_view others = is_ipv6 ? ":.%-_" : "-._~";
  return !host.empty() && std::all_of(host.begin(), host.end(), [others](char c) {
    return is_alphanumeric(c) || others.find(c) != npos;
  });
}

Error bad_url(std::string_view text, const char* why) {
  return make_error(HttpErrc::bad_url, "bad URL " + masked_url(text) + ": " + why);
}

Error unsupported_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = colon == npos ? std::string_view{} : text.substr(0, colon);
  return make_error(
      HttpErrc::unsupported_scheme,
      "unsupported protocol scheme \"" + std::string{scheme} + "\" in " + masked_url(text));
}

/// Removes the text before the first of `ends` from `rest`, and returns it.
std::string_view take_until(std::string_view& rest, std::string_view ends) noexcept {
  const std::string_view taken = rest.substr(0, std::min(rest.find_first_of(ends), rest.size()));
  rest.remove_prefix(taken.size());
  return taken;
}

constexpr auto stands_in_a_target = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < 0x80; ++byte) {
    table[byte] = std::string_view(" \"<>\\^`{|}").find(static_cast<char>(byte)) == npos;
  }
  return table;
}();

void append_encoded(std::string& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (stands_in_a_target[static_cast<unsigned char>(text[i])]) continue;
    out.append(text.substr(begin, i - begin));
    append_escape(out, text[i]);
    begin = i + 1;
  }
  out.append(text.substr(begin));
}

/// RFC 3986, section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    path.remove_prefix(1);  // Every segment begins with a slash.
    const std::string_view segment = take_until(path, "/");
    const bool is_last = path.empty();
    if (segment == ".." || segment == ".") {
      if (segment == "..") out.erase(std::min(out.rfind('/'), out.size()));
      if (is_last) out += '/';
    } else {
      out.append("/").append(segment);
    }
  }
  return out;
}

bool has_scheme(std::string_view location) noexcept {
  const std::size_t colon = location.find(':');
  return colon != npos && colon > 0 && colon < location.find_first_of("/?#") &&
         std::all_of(location.begin(), location.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const Result<UrlParts> parts = split_url(text);
  Url url;
  url.is_https = parts && equals_ignoring_case(parts->scheme, "https");
  if (!parts || (!url.is_https && !equals_ignoring_case(parts->scheme, "http"))) {
    return unsupported_scheme(text);
  }
  if (has_control_character(text)) return bad_url(text, "it has a control character");
  const Result<HostAndPort> place = split_host_port(parts->host);
  if (!place) return bad_url(text, "its host is malformed");
  url.userinfo = parts->userinfo;
  url.path = parts->path;
  url.query = parts->query;
  url.is_ipv6 = place->has_brackets;
  url.host = place->host;
  if (url.host.empty() && !url.is_ipv6 && place->has_port) url.host = host_of_bare_port;
  if (!is_legal_host(url.host, url.is_ipv6)) return bad_url(text, "it has no legal host");
  const std::string_view default_port = url.is_https ? "443" : "80";
  url.port = place->port.empty() ? default_port : place->port;
  if (!parse_port(url.port)) return bad_url(text, "its port is not 1 to 65535");
  url.has_default_port = url.port == default_port;
  return url;
}

void append_request_target(std::string& out, const Url& url) {
  if (url.path.empty()) out += '/';
  append_encoded(out, url.path);
  if (url.query.empty()) return;
  out += '?';
  append_encoded(out, url.query);
}

void append_authority(std::string& out, const Url& url, bool with_port) {
  if (url.is_ipv6) out += '[';
  out.append(url.host);
  if (url.is_ipv6) out += ']';
  if (with_port || !url.has_default_port) out.append(":").append(url.port);
}

std::string resolve_location(std::string_view base, std::string_view location) {
  if (has_scheme(location)) return std::string{location};
  base = base.substr(0, base.find('#'));
  const std::size_t host = base.find("://") + 3;
  const std::string_view scheme = base.substr(0, host - 2);
  if (location.starts_with("//")) return std::string{scheme}.append(location);

  const std::size_t path = std::min(base.find_first_of("/?", host), base.size());
  const std::string_view origin = base.substr(0, path);
  const std::string_view base_path =
      base.substr(path, std::min(base.find('?', path), base.size()) - path);
  std::string_view rest = location;
  const std::string_view new_path = take_until(rest, "?#");
  std::string out{origin};
  if (new_path.empty()) {
    out.append(base_path);
    if (!rest.starts_with('?')) out.append(base.substr(path + base_path.size()));
  } else if (new_path.front() == '/') {
    out.append(without_dot_segments(new_path));
  } else {
    std::string merged{base_path.substr(0, base_path.rfind('/') + 1)};
    if (merged.empty()) merged = "/";
    out.append(without_dot_segments(merged.append(new_path)));
  }
  return out.append(rest);
}

}  // namespace concerto::net
