#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concerto::tools {

/// What is at the other end of a descriptor.
struct Terminal {
  bool is_terminal = false;
  bool has_colour = false;  ///< a terminal, and neither NO_COLOR nor TERM=dumb is set
  std::size_t columns = 0;  ///< 0: lines may have any length
  std::size_t rows = 0;     ///< 0: not known

  static Terminal of(int descriptor);
};

enum class Colour : std::uint8_t { none, bold, dim, red, green, yellow };

/// `text` in a colour; unchanged without `has_colour`, or for Colour::none.
std::string coloured(std::string_view text, Colour colour, bool has_colour);

/// The colour of a transaction's status, and of other words that say good, bad or under way.
Colour colour_of_status(std::string_view status) noexcept;

}  // namespace concerto::tools
