#include "redirect.hpp"

#include <algorithm>
#include <initializer_list>

#include <concerto/transport/credential_header.hpp>
#include <concerto/transport/url.hpp>

namespace concerto::net {
namespace {

/// True if credentials for `from` may be sent to the server of `to`.
bool trusts(std::string_view from, std::string_view to) {
  const auto old_url = parse_url(from);
  const auto new_url = parse_url(to);
  return old_url && new_url && equals_ignoring_case(old_url->host, new_url->host) &&
         (new_url->is_https || !old_url->is_https);
}

bool is_same_server(std::string_view from, std::string_view to) {
  const auto old_url = parse_url(from);
  const auto new_url = parse_url(to);
  return old_url && new_url && equals_ignoring_case(old_url->host, new_url->host) &&
         old_url->port == new_url->port && old_url->is_https == new_url->is_https;
}

bool is_among(std::initializer_list<std::string_view> names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view each) { return equals_ignoring_case(each, name); });
}

/// The headers of a request that another host may see.
HttpHeaders headers_for_others(const HttpHeaders& headers, bool carries_headers) {
  HttpHeaders kept;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    const bool keeps = carries_headers ? !is_among({"Host"}, name) && !is_credential_header(name)
                                       : is_among({"Accept", "Accept-Encoding", "Content-Type",
                                                   "Content-Encoding", "User-Agent"},
                                                  name);
    if (keeps) kept.add(name, value);
  }
  return kept;
}

}  // namespace

bool follow_redirect(HttpClientRequest& request, const HttpClientResponse& response,
                     bool carries_headers) {
  const bool drops_body =
      response.status == 301 || response.status == 302 || response.status == 303;
  if (!drops_body && response.status != 307 && response.status != 308) return false;
  const auto location = response.headers.find("Location");
  if (!location || location->empty()) return false;
  if (drops_body) {
    if (request.method != "HEAD") request.method = "GET";
    request.body = {};
    request.headers.erase("Content-Type");
    request.headers.erase("Content-Encoding");
  }
  std::string url = resolve_location(request.url, *location);
  if (!trusts(request.url, url)) {
    request.headers = headers_for_others(request.headers, carries_headers);
  } else if (!is_same_server(request.url, url)) {
    request.headers.erase("Host");  // The new URL names the host.
  }
  request.url = std::move(url);
  return true;
}

}  // namespace concerto::net
