#include <cstddef>

#include <concerto/base/json_text.hpp>

namespace concerto {
namespace {

/// So many characters are looked at together, for which compilers have instructions.
constexpr std::size_t block_chars = 16;

/// 1 for a character that is escaped. Without branches, so that blocks become such instructions.
unsigned char is_escaped(char character) noexcept {
  const auto code = static_cast<unsigned char>(character);
  return static_cast<unsigned char>((code < 0x20) | (code == '"') | (code == '\\'));
}

/// Inlined by GCC 12, it would become a comparison for each character.
[[gnu::noinline]] bool is_plain_block(const char* characters) noexcept {
  unsigned char escaped = 0;
  for (std::size_t i = 0; i < block_chars; ++i) escaped |= is_escaped(characters[i]);
  return escaped == 0;
}

/// How many characters from `from` on stand for themselves.
std::size_t plain_chars(std::string_view text, std::size_t from) noexcept {
  std::size_t at = from;
  while (text.size() - at >= block_chars && is_plain_block(text.data() + at)) at += block_chars;
  while (at < text.size() && !is_escaped(text[at])) ++at;
  return at - from;
}

void append_escaped(std::string& out, char character) {
  constexpr std::string_view named = "\"\\\b\f\n\r\t";
  constexpr std::string_view names = "\"\\bfnrt";
  constexpr std::string_view digits = "0123456789abcdef";
  if (const std::size_t at = named.find(character); at != std::string_view::npos) {
    out.append("\\").append(1, names[at]);
  } else {
    const auto code = static_cast<unsigned char>(character);
    out.append("\\u00").append(1, digits[code >> 4]).append(1, digits[code & 0xF]);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0;;) {
    const std::size_t plain = plain_chars(text, at);
    out.append(text, at, plain);
    at += plain;
    if (at == text.size()) break;
    append_escaped(out, text[at++]);
  }
  out += '"';
}

}  // namespace concerto
