#include <algorithm>
#include <utility>

#include <concerto/transport/percent.hpp>

namespace concerto::net {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

/// Whether no encoder of URLs escapes this character. (Some escape `~`.)
bool is_never_escaped(char c) noexcept {
  return is_unreserved(c) && c != '~';
}

}  // namespace

std::optional<char> escaped_byte(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size() || text.size() - at < 3 || text[at] != '%') return std::nullopt;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

void append_escape(std::string& out, char byte) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  out += {'%', digits[value >> 4], digits[value & 15]};
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = escaped_byte(text, i);
      if (!byte) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<std::string> decode_path(std::string_view text) {
  // Nearly all paths have no escapes.
  if (text.find('%') == std::string_view::npos) return std::string{text};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = escaped_byte(text, i);
    if (!byte || is_never_escaped(*byte)) return std::nullopt;
    if (*byte == '/' || *byte == '%') {
      out += *byte == '/' ? "%2F" : "%25";
    } else {
      out += *byte;
    }
    i += 2;
  }
  return out;
}

void append_query_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      append_escape(out, c);
    }
  }
}

HttpRequest::Query decode_query(std::string_view text) {
  HttpRequest::Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto key = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (key && value) query.emplace_back(std::move(*key), std::move(*value));
  }
  return query;
}

}  // namespace concerto::net
