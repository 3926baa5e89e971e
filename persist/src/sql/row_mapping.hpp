#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/store.hpp>

#include "row_clock.hpp"
#include "rows.hpp"

namespace concerto::persist {

/// The names of protocol page 01 for its modes, and the decimal number for any other mode.
std::string trans_type_text(TransType type);
/// A text that no version of this store writes is the greatest number, which no mode of the
/// protocol has: such a transaction is shown and left alone.
TransType trans_type_from(std::string_view text) noexcept;

/// What is the same for all rows of a read.
struct RowReader {
  const RowClock& clock;
  std::string_view this_node;

  /// The transaction of a row. `waits` says whether it rests: whether nobody works on it, as far as
  /// the row tells. Rows do not have the submit time. Error store_damaged names the column.
  Result<Transaction> read(StoredTrans stored) const;
};

/// At most as many characters of UTF-8 as a column has, with U+FFFD for what is not UTF-8 and
/// nothing for the character 0, which SQL texts do not have.
std::string fitting_text(std::string_view text, std::size_t chars_max);

/// Whether a column of so many characters can hold the text as it is.
bool fits_column(std::string_view text, std::size_t chars_max) noexcept;

/// Widths of columns, in characters.
inline constexpr std::size_t id_chars_max = 128;
inline constexpr std::size_t name_chars_max = 45;
inline constexpr std::size_t text_chars_max = 1024;

}  // namespace concerto::persist
