#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mariadb/mysql.h>

#include "wall_zone.hpp"

namespace concerto::persist {

/// What a statement returned, with a place in its rows. A column is named by its number.
class MysqlResult {
 public:
  MysqlResult(MYSQL_RES* rows, std::uint64_t affected) noexcept
      : rows_(rows), affected_(affected) {}

  /// Rows that the statement found or added.
  std::uint64_t affected() const noexcept { return affected_; }

  /// Goes to the next row, the first one at first. False after the last row.
  bool next() noexcept;
  bool is_null(unsigned column) const noexcept { return row_[column] == nullptr; }
  /// Empty if null.
  std::string_view text(unsigned column) const noexcept {
    return is_null(column) ? std::string_view{} : std::string_view{row_[column], lengths_[column]};
  }
  std::string string(unsigned column) const { return std::string(text(column)); }
  /// 0 if null.
  std::int64_t integer(unsigned column) const noexcept;
  double real(unsigned column) const noexcept;
  std::optional<RowTime> time(unsigned column, const WallZone& zone) const noexcept {
    return zone.read(text(column));
  }

 private:
  struct Free {
    void operator()(MYSQL_RES* rows) const noexcept { mysql_free_result(rows); }
  };
  std::unique_ptr<MYSQL_RES, Free> rows_;
  std::uint64_t affected_ = 0;
  MYSQL_ROW row_ = nullptr;
  unsigned long* lengths_ = nullptr;
};

}  // namespace concerto::persist
