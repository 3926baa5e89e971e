#pragma once

#include <string_view>

namespace concerto::persist {

/// Whether LevelDB, or the list of logs beside it, gives a file exactly this name. LevelDB's own
/// parser also takes `7.log` or `0000007.log` for its file 000007.log; here they are strangers.
bool is_database_file(std::string_view name) noexcept;

/// Whether it is one of a database's logs, `000007.log`.
bool is_log_file(std::string_view name) noexcept;

}  // namespace concerto::persist
