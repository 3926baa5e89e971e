#include "grpc/wire.hpp"

#include <algorithm>
#include <charconv>

#include <concerto/base/base64.hpp>
#include <concerto/transport/percent.hpp>

namespace concerto::net::detail {
namespace {

constexpr std::int64_t timeout_digits_end = 100'000'000;  // 8 digits
constexpr std::size_t timeout_digits_max = 8;

struct Unit {
  char letter;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 6> units{{{'n', 1},
                                     {'u', 1'000},
                                     {'m', 1'000'000},
                                     {'S', 1'000'000'000},
                                     {'M', 60'000'000'000},
                                     {'H', 3'600'000'000'000}}};

constexpr bool is_printable(char c) noexcept {
  return c >= 0x20 && c <= 0x7e;
}

bool is_printable_text(std::string_view text) noexcept {
  // There is no early exit, so that the compiler can check many bytes at a time.
  bool all = true;
  for (const char c : text) all &= is_printable(c);
  return all;
}

bool is_name_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/// Names that belong to HTTP/2 or to gRPC itself. As in grpc-go, applications may use other names
/// that begin with `grpc-`, such as `grpc-trace-bin`.
bool is_reserved(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 10> names{
      "connection",           "content-type",  "te",           "user-agent",
      "grpc-accept-encoding", "grpc-encoding", "grpc-message", "grpc-message-type",
      "grpc-status",          "grpc-timeout"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_valid_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name_char) && !is_reserved(name);
}

}  // namespace

TimeoutText::TimeoutText(std::chrono::nanoseconds timeout) noexcept {
  const std::int64_t count = std::max<std::int64_t>(timeout.count(), 0);
  const Unit* unit = units.data();
  const auto rounded_up = [&] {
    return count / unit->nanoseconds + (count % unit->nanoseconds > 0);
  };
  while (rounded_up() >= timeout_digits_end) ++unit;
  char* end = std::to_chars(text_.data(), text_.data() + text_.size(), rounded_up()).ptr;
  *end++ = unit->letter;
  size_ = static_cast<std::size_t>(end - text_.data());
}

std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > timeout_digits_max + 1) return std::nullopt;
  const char* digits_end = text.data() + text.size() - 1;
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& u) { return u.letter == *digits_end; });
  if (unit == units.end() || *text.data() == '-') return std::nullopt;
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), digits_end, count);
  if (parsed.ec != std::errc() || parsed.ptr != digits_end) return std::nullopt;
  constexpr std::int64_t most = std::chrono::nanoseconds::max().count();
  return std::chrono::nanoseconds(count > most / unit->nanoseconds ? most
                                                                   : count * unit->nanoseconds);
}

std::string encode_status_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool outer_blank = text[i] == ' ' && (i == 0 || i + 1 == text.size());
    if (is_printable(text[i]) && text[i] != '%' && !outer_blank) {
      out += text[i];
      continue;
    }
    append_escape(out, text[i]);
  }
  return out;
}

std::string decode_status_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = escaped_byte(text, i);
    out += byte.value_or(text[i]);
    if (byte) i += 2;
  }
  return out;
}

GrpcCode parse_code(std::string_view text) noexcept {
  if (text.size() > 1 && text.front() == '0') return GrpcCode::unknown;
  unsigned value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool known = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
                     value <= static_cast<unsigned>(GrpcCode::unauthenticated);
  return known ? static_cast<GrpcCode>(value) : GrpcCode::unknown;
}

std::string_view code_digits(GrpcCode code) noexcept {
  static constexpr std::array<std::string_view, 17> digits{
      "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};
  return digits[static_cast<std::size_t>(code)];
}

GrpcCode code_of_http_status(std::string_view status) noexcept {
  if (status == "400") return GrpcCode::internal;
  if (status == "401") return GrpcCode::unauthenticated;
  if (status == "403") return GrpcCode::permission_denied;
  if (status == "404") return GrpcCode::unimplemented;
  if (status == "429" || status == "502" || status == "503" || status == "504") {
    return GrpcCode::unavailable;
  }
  return GrpcCode::unknown;
}

GrpcCode code_of_http2_error(std::uint32_t error) noexcept {
  switch (error) {
    case NGHTTP2_REFUSED_STREAM:
      return GrpcCode::unavailable;
    case NGHTTP2_CANCEL:
      return GrpcCode::cancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return GrpcCode::resource_exhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return GrpcCode::permission_denied;
    default:
      return GrpcCode::internal;
  }
}

bool is_grpc_content_type(std::string_view type) noexcept {
  static constexpr std::string_view base = "application/grpc";
  if (!type.starts_with(base)) return false;
  return type.size() == base.size() || type[base.size()] == '+' || type[base.size()] == ';';
}

bool is_binary(std::string_view name) noexcept {
  return name.ends_with("-bin");
}

bool add_received(GrpcMetadata& metadata, std::string_view name, std::string_view value) {
  if (!is_binary(name)) {
    metadata.add(name, value);
    return true;
  }
  // A proxy may have joined several fields of one name.
  for (;;) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const auto bytes = base64_decode(value.substr(0, comma));
    if (!bytes) return false;
    metadata.add(name, *bytes);
    if (comma == value.size()) return true;
    value.remove_prefix(comma + 1);
  }
}

bool MetadataFields::add_to(http2::HeaderBlock& block, const GrpcMetadata& metadata,
                            std::string& why) {
  // Short values mostly differ from call to call, so HPACK does not index them.
  constexpr std::size_t repeated_bytes_min = 64;
  encoded_.reserve(encoded_.size() + metadata.size());  // Views into it must stay valid.
  for (std::size_t i = 0; i < metadata.size(); ++i) {
    const auto [name, value] = metadata[i];
    if (!is_valid_name(name)) {
      why = "metadata with invalid name '" + std::string(name) + "'";
      return false;
    }
    if (is_binary(name)) {
      std::string& text = encoded_.emplace_back(base64_encode(value));
      text.resize(text.find_last_not_of('=') + 1);  // gRPC sends base64 without padding.
      block.add_varying(name, text);
    } else if (!is_printable_text(value)) {
      why = "metadata '" + std::string(name) + "' with a value that is not printable ASCII";
      return false;
    } else if (metadata.is_repeated(i) || value.size() >= repeated_bytes_min) {
      block.add_repeated(name, value);
    } else {
      block.add_varying(name, value);
    }
  }
  return true;
}

std::array<char, 5> message_head(std::size_t bytes) noexcept {
  const auto byte = [bytes](unsigned shift) { return static_cast<char>(bytes >> shift & 255); };
  return {0, byte(24), byte(16), byte(8), byte(0)};
}

}  // namespace concerto::net::detail
