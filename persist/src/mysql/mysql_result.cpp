#include "mysql_result.hpp"

#include <charconv>
#include <cstdlib>

namespace concerto::persist {

bool MysqlResult::next() noexcept {
  if (rows_ == nullptr) return false;
  row_ = mysql_fetch_row(rows_.get());
  if (row_ == nullptr) return false;
  lengths_ = mysql_fetch_lengths(rows_.get());
  return true;
}

std::int64_t MysqlResult::integer(unsigned column) const noexcept {
  const std::string_view digits = text(column);
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

double MysqlResult::real(unsigned column) const noexcept {
  return is_null(column) ? 0.0 : std::strtod(row_[column], nullptr);
}

}  // namespace concerto::persist
