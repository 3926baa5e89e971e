#include "message_lines.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <concerto/transport/http_message.hpp>

#include "message_error.hpp"

namespace concerto::net {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view blanks = " \t";

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// True for a byte of a target, which has no blanks, no control characters and no `#`.
bool is_target_byte(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '#';
}

/// `HTTP/1.x`. A later minor version is read as 1.1 (RFC 9110, section 2.5).
error_code parse_version(std::string_view text, int& version) noexcept {
  constexpr std::string_view name = "HTTP/";
  if (!text.starts_with(name)) return MessageErrc::bad_start_line;
  text.remove_prefix(name.size());
  if (text.size() != 3 || !is_digit(text[0]) || text[1] != '.' || !is_digit(text[2])) {
    return MessageErrc::bad_start_line;
  }
  if (text[0] != '1') return MessageErrc::bad_version;
  version = text[2] == '0' ? 10 : 11;
  return {};
}

}  // namespace

error_code parse_request_line(std::string_view line, RequestLine& out) noexcept {
  const std::size_t method = line.find(' ');
  const std::size_t target = line.rfind(' ');
  if (method == npos || target == method) return MessageErrc::bad_start_line;
  out.method = line.substr(0, method);
  out.target = line.substr(method + 1, target - method - 1);
  if (!is_legal_header_name(out.method)) return MessageErrc::bad_start_line;
  const error_code error = parse_version(line.substr(target + 1), out.version);
  if (error) return error;
  const bool legal =
      !out.target.empty() && std::all_of(out.target.begin(), out.target.end(), is_target_byte);
  return legal ? error_code{} : MessageErrc::bad_target;
}

error_code parse_status_line(std::string_view line, StatusLine& out) noexcept {
  const std::size_t blank = std::min(line.find(' '), line.size());
  const error_code error = parse_version(line.substr(0, blank), out.version);
  if (error) return error;
  std::string_view rest = line.substr(blank);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.size() < 3 || !std::all_of(rest.begin(), rest.begin() + 3, is_digit) ||
      (rest.size() > 3 && blanks.find(rest[3]) == npos)) {
    return MessageErrc::bad_start_line;
  }
  std::from_chars(rest.data(), rest.data() + 3, out.status);
  return {};
}

bool can_begin(MessageKind kind, std::string_view bytes) noexcept {
  if (kind == MessageKind::response) {
    constexpr std::string_view name = "HTTP/";
    return name.starts_with(bytes.substr(0, name.size()));
  }
  return is_legal_header_name(bytes.substr(0, bytes.find_first_of(" \r")));
}

bool is_legal_value(MessageKind kind, std::string_view value) noexcept {
  if (kind == MessageKind::request) return is_legal_header_value(value);
  return value.find('\0') == npos;
}

error_code parse_field_line(MessageKind kind, std::string_view line, FieldLine& out) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == npos) return MessageErrc::bad_field;
  out.name = line.substr(0, colon);
  if (kind == MessageKind::response) out.name = trim_blanks(out.name);
  if (!is_legal_header_name(out.name)) {
    if (kind == MessageKind::request) return MessageErrc::bad_field;
    out.name = {};
  }
  out.value = trim_blanks(line.substr(colon + 1));
  return is_legal_value(kind, out.value) ? error_code{} : MessageErrc::bad_value;
}

std::optional<std::uint64_t> parse_chunk_size(MessageKind kind, std::string_view line) noexcept {
  const std::string_view extension = line.substr(std::min(line.find(';'), line.size()));
  const std::string_view number = line.substr(0, line.size() - extension.size());
  const std::size_t digits = std::min(number.find_first_of(blanks), number.size());
  const bool may_have_blanks = kind == MessageKind::response || !extension.empty();
  if (digits < number.size() && !may_have_blanks) return std::nullopt;
  std::uint64_t size = 0;
  const char* const last = number.data() + digits;
  const auto [end, error] = std::from_chars(number.data(), last, size, 16);
  const bool legal = error == std::errc{} && end == last &&
                     number.find_first_not_of(blanks, digits) == npos &&
                     is_legal_header_value(extension);
  return legal ? std::optional{size} : std::nullopt;
}

}  // namespace concerto::net
