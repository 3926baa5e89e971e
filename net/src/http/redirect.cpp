#include "redirect.hpp"

#include "url.hpp"

namespace concerto::net {
namespace {

/// Whether credentials for one URL may be shown to the server of the other.
bool trusts(std::string_view from, std::string_view to) {
  const auto old_url = parse_url(from);
  const auto new_url = parse_url(to);
  return old_url && new_url && equals_ignoring_case(old_url->host, new_url->host) &&
         (new_url->is_https || !old_url->is_https);
}

}  // namespace

bool follow_redirect(HttpClientRequest& request, const HttpClientResponse& response) {
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
    for (const char* name : {"Authorization", "Cookie", "Cookie2", "WWW-Authenticate"}) {
      request.headers.erase(name);
    }
  }
  request.url = std::move(url);
  return true;
}

}  // namespace concerto::net
