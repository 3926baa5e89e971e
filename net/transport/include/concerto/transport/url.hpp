#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// The parts of an absolute http or https URL, as views into its text. split_url cuts the parts,
/// and parse_url checks them: host and port are legal, and no part has a control character.
struct Url {
  bool is_https = false;
  std::string_view userinfo;  ///< still encoded
  std::string_view host;      ///< without brackets
  std::string_view port;      ///< the scheme's default if the URL has none
  std::string_view path;      ///< empty or with a leading slash
  std::string_view query;     ///< without the question mark
  bool has_default_port = true;
  bool is_ipv6 = false;
};

/// Errors: HttpErrc::bad_url, HttpErrc::unsupported_scheme.
CONCERTO_EXPORT Result<Url> parse_url(std::string_view text);

/// Appends path and query for a request line: at least a slash, with all bytes percent-encoded that
/// a request line may not have.
CONCERTO_EXPORT void append_request_target(std::string& out, const Url& url);

/// Appends `host[:port]` for a Host field. With `with_port` the port is always appended.
CONCERTO_EXPORT void append_authority(std::string& out, const Url& url, bool with_port = false);

/// The absolute URL of a Location field (RFC 3986, section 5). `base` must be a URL that parse_url
/// accepts.
CONCERTO_EXPORT std::string resolve_location(std::string_view base, std::string_view location);

/// A quick check of a URL without its scheme, in one pass. Nearly all URLs are plain, and each
/// transaction has several URLs to check. parse_url always accepts a plain URL with `http://`
/// before it; URLs that are not plain are left to parse_url.
struct PlainUrl {
  bool is_plain = false;  ///< `host[:port][/path]` of letters, digits, `.`, `-`; any printable path
  bool has_port = false;  ///< 1 to 65535
  bool has_path = false;
  std::size_t host_bytes = 0;  ///< the host is the text up to here
  unsigned port = 0;           ///< 0 without one
};

constexpr PlainUrl look_at_url(std::string_view text) noexcept {
  PlainUrl url;
  std::size_t at = 0;
  const auto stands_in_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           (c >= 'A' && c <= 'Z');
  };
  while (at < text.size() && stands_in_host(text[at])) ++at;
  url.host_bytes = at;
  bool legal = at > 0;
  if (at < text.size() && text[at] == ':') {
    unsigned& port = url.port;
    const std::size_t digits = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && port <= 65535; ++at) {
      port = port * 10 + static_cast<unsigned>(text[at] - '0');
    }
    url.has_port = at > digits && port > 0 && port <= 65535;
    legal &= url.has_port;
  }
  url.has_path = at < text.size() && text[at] == '/';
  legal &= url.has_path || at == text.size();
  for (; at < text.size(); ++at) legal &= text[at] > 0x20 && text[at] < 0x7F;
  url.is_plain = legal;
  return url;
}

}  // namespace concerto::net
