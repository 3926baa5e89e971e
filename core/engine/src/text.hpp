#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concerto {

/// `text` cut to at most `bytes_max` bytes, on a character boundary of UTF-8.
std::string cut_text(std::string text, std::size_t bytes_max);

/// `text` as an error quotes it: cut, because text from outside may be long.
std::string excerpt(std::string_view text);

/// The number of characters of a text in UTF-8.
std::size_t count_chars(std::string_view text) noexcept;

/// Whether `text` has a control character. DEL is one.
bool has_control(std::string_view text) noexcept;

/// Whether all of `text` is ASCII without control characters.
bool is_plain(std::string_view text) noexcept;

}  // namespace concerto
