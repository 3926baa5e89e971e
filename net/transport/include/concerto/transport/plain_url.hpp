#pragma once

#include <string_view>

namespace concerto::net {

/// What a look at a URL without its scheme finds out, in one pass: nearly all URLs are plain, and
/// each transaction has several that are to be checked.
struct PlainUrl {
  bool is_plain = false;  ///< `host[:port][/path]` of letters, digits, `.`, `-`; any printable path
  bool has_port = false;  ///< 1 to 65535
  bool has_path = false;
};

constexpr PlainUrl look_at_url(std::string_view text) noexcept {
  PlainUrl url;
  std::size_t at = 0;
  const auto stands_in_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           (c >= 'A' && c <= 'Z');
  };
  while (at < text.size() && stands_in_host(text[at])) ++at;
  bool legal = at > 0;
  if (at < text.size() && text[at] == ':') {
    unsigned port = 0;
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
