#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concerto::tools {

/// How many columns of a terminal `text` takes: two for a wide character, as of Chinese, and none
/// for one that is put on the character before it. `text` is a line of UTF-8 without control
/// characters.
std::size_t display_width(std::string_view text);

/// The beginning of `text` that fits into so many columns. If something is cut off, the last column
/// is `\u2026`, or a blank behind it where half of a wide character would be.
std::string cut_to_width(std::string_view text, std::size_t columns);

}  // namespace concerto::tools
