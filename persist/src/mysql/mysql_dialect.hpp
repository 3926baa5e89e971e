#pragma once

#include <string_view>

namespace concerto::persist {

/// What differs between the servers that speak MySQL's protocol.
struct MysqlDialect {
  bool is_tidb = false;
  /// SELECT .. FOR UPDATE SKIP LOCKED: MySQL 8.0, MariaDB 10.6.
  bool skips_locked = false;

  /// Begins a database transaction that locks rows when it changes them.
  std::string_view begin() const noexcept {
    return is_tidb ? "BEGIN PESSIMISTIC" : "START TRANSACTION";
  }
};

/// The dialect of a server with this version: `5.7.44-log`, `10.11.6-MariaDB`,
/// `5.5.5-10.3.39-MariaDB`, `8.0.11-TiDB-v7.5.1`.
MysqlDialect mysql_dialect(std::string_view version) noexcept;

}  // namespace concerto::persist
