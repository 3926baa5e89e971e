#include <algorithm>

#include <concerto/engine/trace.hpp>

namespace concerto {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool are_digits(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return digit_of(c) >= 0; });
}

/// The byte that two digits write. Precondition: they are digits.
std::uint8_t byte_at(std::string_view digits, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(digit_of(digits[at]) * 16 + digit_of(digits[at + 1]));
}

void append_byte(std::string& text, std::uint8_t byte) {
  text += hex_digits[byte >> 4U];
  text += hex_digits[byte & 0xfU];
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_key_char(char c) noexcept {
  constexpr std::string_view others = "_-*/";
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
}

bool begins_key(char c, bool digit_too) noexcept {
  return (c >= 'a' && c <= 'z') || (digit_too && c >= '0' && c <= '9');
}

/// `name` or `tenant@system` (section 3.3.1.3.1).
bool is_key(std::string_view key) noexcept {
  constexpr std::size_t name_max = 256, tenant_max = 241, system_max = 14;
  const auto is_part = [](std::string_view part, bool digit_too, std::size_t bytes_max) {
    return !part.empty() && part.size() <= bytes_max && begins_key(part.front(), digit_too) &&
           std::ranges::all_of(part, is_key_char);
  };
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) return is_part(key, true, name_max);
  return is_part(key.substr(0, at), true, tenant_max) &&
         is_part(key.substr(at + 1), false, system_max);
}

/// Printable ASCII without comma and equals sign.
bool is_value(std::string_view value) noexcept {
  constexpr std::size_t bytes_max = 256;
  return !value.empty() && value.size() <= bytes_max && std::ranges::all_of(value, [](char c) {
    return c >= 0x20 && c <= 0x7E && c != ',' && c != '=';
  });
}

bool is_name(std::string_view name, std::string_view lower) noexcept {
  return std::ranges::equal(name, lower, [](char given, char wanted) {
    return given == wanted || (given >= 'A' && given <= 'Z' && given - 'A' + 'a' == wanted);
  });
}

bool is_entry(std::string_view entry) noexcept {
  const std::size_t equals = entry.find('=');
  return equals != std::string_view::npos && is_key(entry.substr(0, equals)) &&
         is_value(entry.substr(equals + 1));
}

}  // namespace

std::string TraceId::str() const {
  std::string text;
  if (!is_set()) return text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) append_byte(text, byte);
  return text;
}

std::string SpanId::str() const {
  std::string text;
  if (!is_set()) return text;
  for (unsigned shift = 64; shift > 0;) {
    shift -= 8;
    append_byte(text, static_cast<std::uint8_t>(number >> shift & 0xffU));
  }
  return text;
}

std::string TraceParent::str() const {
  std::string text;
  if (!is_set()) return text;
  text.reserve(55);
  text.append("00-").append(trace.str()).append("-").append(span.str()).append("-");
  append_byte(text, flags & known_flags);
  return text;
}

// `00-<32 digits: trace>-<16 digits: parent>-<2 digits: flags>`. A version after 00 may have more
// behind the flags; ff is not a version.
std::optional<TraceParent> TraceParent::parse(std::string_view field) noexcept {
  constexpr std::size_t trace_at = 3, span_at = 36, flags_at = 53, size = 55;
  if (field.size() < size) return std::nullopt;
  const std::string_view version = field.substr(0, 2);
  if (!are_digits(version) || version == "ff") return std::nullopt;
  if (field.size() > size && (version == "00" || field[size] != '-')) return std::nullopt;
  for (const std::size_t at : {trace_at, span_at, flags_at}) {
    if (field[at - 1] != '-') return std::nullopt;
  }
  const std::string_view trace = field.substr(trace_at, 32);
  const std::string_view span = field.substr(span_at, 16);
  const std::string_view flags = field.substr(flags_at, 2);
  if (!are_digits(trace) || !are_digits(span) || !are_digits(flags)) return std::nullopt;
  TraceParent parsed;
  for (std::size_t i = 0; i < parsed.trace.bytes.size(); ++i) {
    parsed.trace.bytes[i] = byte_at(trace, 2 * i);
  }
  for (std::size_t i = 0; i < span.size(); i += 2) {
    parsed.span.number = parsed.span.number << 8U | byte_at(span, i);
  }
  parsed.flags = byte_at(flags, 0) & known_flags;
  if (!parsed.trace.is_set() || !parsed.span.is_set()) return std::nullopt;
  return parsed;
}

std::string kept_trace_state(std::string_view field) {
  // More bytes than that are not looked at: what stands behind them would not be handed on.
  constexpr std::size_t read_bytes_max = 8 * 1024;
  if (field.size() > read_bytes_max) return {};
  std::string kept;
  std::size_t count = 0;
  bool has_room = true;
  while (!field.empty()) {
    const std::size_t comma = std::min(field.find(','), field.size());
    const std::string_view entry = without_blanks(field.substr(0, comma));
    field.remove_prefix(std::min(comma + 1, field.size()));
    if (entry.empty()) continue;
    if (++count > trace_state_entries_max || !is_entry(entry)) return {};
    const std::size_t with_it = kept.size() + (kept.empty() ? 0 : 1) + entry.size();
    has_room = has_room && with_it <= trace_state_bytes_max;
    if (!has_room) continue;  // The rest still has to keep to the specification.
    if (!kept.empty()) kept += ',';
    kept += entry;
  }
  return kept;
}

bool is_traceparent(std::string_view name) noexcept {
  return is_name(name, traceparent_name);
}

bool is_tracestate(std::string_view name) noexcept {
  return is_name(name, tracestate_name);
}

std::optional<TraceParent> trace_among(const std::map<std::string, std::string>& headers) noexcept {
  for (const auto& [name, value] : headers) {
    if (is_traceparent(name)) return TraceParent::parse(value);
  }
  return std::nullopt;
}

}  // namespace concerto
