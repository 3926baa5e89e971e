#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// The parts of an absolute http or https URL, as views into its text.
struct Url {
  bool is_https = false;
  std::string_view userinfo;  ///< still encoded
  std::string_view host;      ///< without brackets
  std::string_view port;      ///< the scheme's default where the URL has none
  std::string_view path;      ///< empty or with a leading slash
  std::string_view query;     ///< without the question mark
  bool has_default_port = true;
  bool is_ipv6 = false;
};

/// Errors: HttpErrc::bad_url, HttpErrc::unsupported_scheme.
Result<Url> parse_url(std::string_view text);

/// Appends path and query as a request line has them: at least a slash, and bytes that may not
/// stand there percent-encoded.
void append_request_target(std::string& out, const Url& url);

/// Appends `host[:port]` as in a Host field; the port always with `with_port`.
void append_authority(std::string& out, const Url& url, bool with_port = false);

/// The absolute URL that a Location field means (RFC 3986, section 5). `base` must be a URL that
/// parse_url takes.
std::string resolve_location(std::string_view base, std::string_view location);

}  // namespace concerto::net
