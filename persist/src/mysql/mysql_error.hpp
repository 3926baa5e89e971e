#pragma once

#include "../sql/sql_error.hpp"

namespace concerto::persist {

/// What an error number of the server or of the client library says about a statement, or about a
/// connection that is being opened.
SqlErrc class_of_mysql_error(unsigned number) noexcept;

/// Whether the number is of the client library itself, rather than of the server.
constexpr bool is_client_error(unsigned number) noexcept {
  return number >= 2000 && number < 3000;
}

/// Whether the statement was ended from outside or took too long. Where it was a COMMIT, the error
/// does not say what became of it.
bool is_interruption(unsigned number) noexcept;

/// Whether the user had no right to it when the session selected its database.
bool is_lack_of_rights(unsigned number) noexcept;

namespace mysql_errors {
inline constexpr unsigned duplicate_entry = 1062;
inline constexpr unsigned unknown_database = 1049;
inline constexpr unsigned no_such_session = 1094;
/// What the check after an UPDATE raises (mysql_group.hpp).
inline constexpr unsigned out_of_range = 1690;
}  // namespace mysql_errors

}  // namespace concerto::persist
