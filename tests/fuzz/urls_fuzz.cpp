// URLs of branches and the Location fields of their answers, one per line. A URL that is put
// together from its parts has the same parts, a plain URL is a legal one, and the target of an
// absolute redirect does not depend on the URL that redirects.

#include <concerto/transport/url.hpp>

#include "fuzz_target.hpp"
#include "http/redirect.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

std::string scheme_of(const Url& url) {
  return url.is_https ? "https://" : "http://";
}

void check_parts(const Url& url) {
  std::string authority;
  append_authority(authority, url);
  std::string target;
  append_request_target(target, url);
  require(!authority.empty() && target.starts_with('/'));
  for (const char c : authority + target) {
    require(static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f);
  }
  const std::string text = scheme_of(url) + authority + target;
  const auto again = parse_url(text);
  require(again.has_value());
  require(again->host == url.host && again->port == url.port && again->is_ipv6 == url.is_ipv6);
  require(again->is_https == url.is_https && again->userinfo.empty());
  std::string same_target;
  append_request_target(same_target, *again);
  require(same_target == target);
}

void check_redirect(std::string_view base, std::string_view location) {
  const std::string absolute = resolve_location(base, location);
  if (parse_url(absolute)) require(resolve_location(base, absolute) == absolute);

  HttpClientRequest request;
  request.method = "POST";
  request.url = base;
  request.body = "{}";
  request.headers.add("Authorization", "Basic secret");
  HttpClientResponse response;
  response.status = 302;
  response.headers.add("Location", location);
  if (!follow_redirect(request, response, true)) return;
  require(request.url == absolute && request.method == "GET" && request.body.empty());
  const auto from = parse_url(base);
  const auto to = parse_url(absolute);
  const bool same_host = from && to && equals_ignoring_case(from->host, to->host);
  require(same_host || !request.headers.contains("Authorization"));
}

}  // namespace

void urls(std::string_view input) {
  const std::string_view base = take_line(input);
  const std::string_view location = take_line(input);
  const PlainUrl plain = look_at_url(base);
  if (plain.is_plain) {
    const std::string text = "http://" + std::string{base};
    require(parse_url(text).has_value());
  }
  const auto url = parse_url(base);
  if (!url) return;
  check_parts(*url);
  check_redirect(base, location);
}

}  // namespace concerto::fuzz
