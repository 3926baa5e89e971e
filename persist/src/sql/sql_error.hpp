#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <concerto/base/error.hpp>

namespace concerto::persist {

/// How a statement of a database ended, as far as its caller must know.
enum class SqlErrc {
  /// The database transaction was rolled back, and may succeed at once: a deadlock, a serialization
  /// failure. The connection is usable.
  rolled_back = 1,
  /// Nothing was changed, and the database does nothing for this connection: it refuses
  /// connections, starts, stops, or is read-only after a failover. Try again on a new connection.
  not_now,
  /// The connection was lost after a statement was sent. The change may have been made.
  answer_lost,
  /// Nothing was changed: the database refuses a statement for what it says. Trying again does not
  /// help. If the statement was for several changes, each has to be tried alone.
  refused,
  /// Nothing was changed: a branch with this (branch_id, op) exists. As for `refused`.
  branch_exists,
  /// The tables are missing or lack columns, or the user may not use them.
  wrong_schema,
  /// As `not_now`, because the database serves as many connections as it may.
  no_connection_left,
};

const boost::system::error_category& sql_category() noexcept;
boost::system::error_code make_error_code(SqlErrc code) noexcept;

inline Error make_error(SqlErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

/// The class of an error of PostgreSQL, or of another database that has these codes.
SqlErrc class_of_sqlstate(std::string_view sqlstate) noexcept;

}  // namespace concerto::persist

template <>
struct boost::system::is_error_code_enum<concerto::persist::SqlErrc> : std::true_type {};
