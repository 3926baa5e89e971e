#include "text.hpp"

#include <algorithm>

namespace concerto {
namespace {

constexpr std::size_t excerpt_bytes_max = 128;

bool continues_char(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::string excerpt(std::string_view text) {
  // Four bytes more than the limit, so that cut_text can tell where the last character begins.
  return cut_text(std::string(text.substr(0, excerpt_bytes_max + 4)), excerpt_bytes_max);
}

std::size_t count_chars(std::string_view text) noexcept {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_char));
}

bool has_control(std::string_view text) noexcept {
  bool found = false;
  for (const char c : text) found |= static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  return found;
}

bool is_plain(std::string_view text) noexcept {
  bool plain = true;
  for (const char c : text) plain &= c >= 0x20 && c < 0x7F;
  return plain;
}

std::string cut_text(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && continues_char(text[end])) --end;
  text.resize(end);
  return text;
}

}  // namespace concerto
