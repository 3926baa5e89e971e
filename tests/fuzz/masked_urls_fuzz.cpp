// URLs in the form that people may see. Everything that a parser of URLs takes for a password, or
// for a user without one, is masked; everything else stays. Masking twice changes nothing.

#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/target_url.hpp>
#include <concerto/transport/percent.hpp>
#include <concerto/transport/url.hpp>

#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

/// The user info in the form that people may see.
std::string shown_user(std::string_view user_info) {
  if (user_info.empty()) return {};
  const std::size_t colon = user_info.find(':');
  if (colon == user_info.npos) return "***";
  if (colon + 1 == user_info.size()) return std::string{user_info};
  return std::string{user_info.substr(0, colon)} + ":***";
}

void check_secret_parameters(std::string_view shown) {
  for (const auto& [name, value] : decode_query(shown)) {
    if (name == "token" || name == "access_key") require(value.empty() || value == "***");
  }
}

void check_http_url(std::string_view text) {
  const auto url = parse_url(text);
  const std::string masked = masked_url(text);
  if (!url) {
    const bool has_secret = masked != text && text.find('*') == text.npos;
    require(!has_secret || url.error().detail.find(text) == std::string::npos);
    return;
  }
  const auto shown = parse_url(masked);
  require(shown.has_value());
  require(shown->host == url->host && shown->port == url->port);
  // A part of a path that looks like a secret is masked, too.
  require(shown->path == url->path || url->path.find_first_of("&@") != std::string_view::npos);
  require(shown->userinfo == shown_user(url->userinfo));
  check_secret_parameters(shown->query);
}

void check_target_url(std::string_view text) {
  const auto url = parse_target_url(text);
  if (!url || url->host.find('&') != std::string::npos) return;  // an & looks like a query
  const auto shown = parse_target_url(masked_url(text));
  require(shown.has_value() && shown->scheme == url->scheme);
  require(shown->host == url->host && shown->user_info == shown_user(url->user_info));
}

}  // namespace

void masked_urls(std::string_view input) {
  const bool is_plain = input.find('&') == std::string_view::npos;
  if (is_plain) {  // elsewhere the parts of a text that is not a URL may end at other places
    const std::string masked = masked_url(input);
    require(masked_url(masked) == masked);
    const std::string text = concerto::masked_urls(input);
    require(concerto::masked_urls(text) == text);
  }
  check_http_url(input);
  check_target_url(input);
}

}  // namespace concerto::fuzz
