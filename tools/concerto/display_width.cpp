#include "display_width.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <locale.h>

#include <concerto/base/utf8.hpp>

namespace concerto::tools {
namespace {

constexpr std::string_view ellipsis = "\xE2\x80\xA6";

/// The locale whose tables know how wide characters are. glibc has it without any file.
locale_t utf8_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// The columns of the character that `sequence` is.
std::size_t width_of(std::string_view sequence) {
  if (sequence.size() <= 1) return 1;
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t used = std::mbrtowc(&wide, sequence.data(), sequence.size(), &state);
  const int width = used == sequence.size() ? ::wcwidth(wide) : 1;
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

/// Calls `visit` with each character and its columns until it says no.
template <class Visit>
void each_character(std::string_view text, const Visit& visit) {
  const locale_t before = utf8_locale() == nullptr ? nullptr : ::uselocale(utf8_locale());
  while (!text.empty()) {
    const std::size_t bytes = std::max<std::size_t>(utf8_sequence_bytes(text), 1);
    const std::string_view sequence = text.substr(0, bytes);
    if (!visit(sequence, width_of(sequence))) break;
    text.remove_prefix(bytes);
  }
  if (before != nullptr) ::uselocale(before);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

}  // namespace

std::size_t display_width(std::string_view text) {
  if (is_ascii(text)) return text.size();
  std::size_t width = 0;
  each_character(text, [&width](std::string_view, std::size_t columns) {
    width += columns;
    return true;
  });
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string cut;
  std::size_t width = 0;
  each_character(text, [&](std::string_view character, std::size_t wide) {
    if (width + wide > columns - 1) return false;
    cut += character;
    width += wide;
    return true;
  });
  cut += ellipsis;
  cut.append(columns - 1 - width, ' ');
  return cut;
}

}  // namespace concerto::tools
