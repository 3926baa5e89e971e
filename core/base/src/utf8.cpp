#include <concerto/base/utf8.hpp>

namespace concerto {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

unsigned byte_at(std::string_view text, std::size_t index) noexcept {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
}

bool is_between(unsigned value, unsigned low, unsigned high) noexcept {
  return value >= low && value <= high;
}

/// So many characters are looked at together, for which compilers have instructions.
constexpr std::size_t block_chars = 16;

bool is_ascii_block(const char* characters) noexcept {
  unsigned char bits = 0;
  for (std::size_t i = 0; i < block_chars; ++i) bits |= static_cast<unsigned char>(characters[i]);
  return bits < 0x80;
}

/// How many ASCII characters `text` begins with. Nearly all texts have nothing else.
std::size_t ascii_bytes(std::string_view text) noexcept {
  std::size_t count = 0;
  while (text.size() - count >= block_chars && is_ascii_block(text.data() + count)) {
    count += block_chars;
  }
  while (count < text.size() && static_cast<unsigned char>(text[count]) < 0x80) ++count;
  return count;
}

struct Hidden {
  std::size_t bytes = 0;  ///< in UTF-8; 0: another character
  unsigned code = 0;
};

/// The character at a place of UTF-8, if it is not seen but obeyed: by a terminal (C0, DEL, C1), by
/// programs that end a line at it (U+2028, U+2029), or in the order of the text around it (the
/// bidirectional marks, embeddings and isolates). Those that take no room count, too.
Hidden hidden_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0), second = byte(1), last = byte(2);
  if (first < 0x20 || first == 0x7F) return {1, first};
  if (first == 0xC2 && second < 0xA0) return {2, second};
  if (first == 0xD8 && second == 0x9C) return {2, 0x061C};
  if (first == 0xEF && second == 0xBB && last == 0xBF) return {3, 0xFEFF};
  const bool is_mark = (last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE);
  if (first == 0xE2 && second == 0x80 && is_mark) return {3, 0x2000 + (last & 0x3FU)};
  const bool is_isolate = last >= 0xA0 && last <= 0xAF;
  if (first == 0xE2 && second == 0x81 && is_isolate) return {3, 0x2040 + (last & 0x3FU)};
  return {};
}

}  // namespace

std::size_t utf8_sequence_bytes(std::string_view text) noexcept {
  const unsigned first = byte_at(text, 0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  std::size_t bytes = 0;
  unsigned low = 0x80, high = 0xBF;  // of the second byte
  if (is_between(first, 0xC2, 0xDF)) {
    bytes = 2;
  } else if (is_between(first, 0xE0, 0xEF)) {
    bytes = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (is_between(first, 0xF0, 0xF4)) {
    bytes = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (!is_between(byte_at(text, 1), low, high)) return 0;
  for (std::size_t index = 2; index < bytes; ++index) {
    if (!is_between(byte_at(text, index), 0x80, 0xBF)) return 0;
  }
  return bytes;
}

bool is_utf8(std::string_view text) noexcept {
  while (true) {
    text.remove_prefix(ascii_bytes(text));
    if (text.empty()) return true;
    const std::size_t bytes = utf8_sequence_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
}

std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string{text};
  std::string result;
  result.reserve(text.size() + 16 * replacement.size());
  while (!text.empty()) {
    const std::size_t bytes = utf8_sequence_bytes(text);
    result += bytes == 0 ? replacement : text.substr(0, bytes);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return result;
}

std::string visible_line(std::string_view any) {
  std::string text = to_utf8(any);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string escaped;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Hidden hidden = hidden_at(text, at);
    if (hidden.bytes == 0) continue;
    const unsigned code = hidden.code;
    escaped.append(text, copied, at - copied);
    escaped += {'\\',
                'u',
                digits[code >> 12U],
                digits[code >> 8U & 15U],
                digits[code >> 4U & 15U],
                digits[code & 15U]};
    copied = at + hidden.bytes;
    at = copied - 1;
  }
  if (copied == 0) return text;
  escaped.append(text, copied);
  return escaped;
}

}  // namespace concerto
