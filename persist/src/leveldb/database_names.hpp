#pragma once

#include <string_view>

namespace concerto::persist {

/// Whether LevelDB, or the list of a database's logs, gives a file exactly this name. LevelDB's own
/// parser also takes `7.log` and `0000007.log` for 000007.log; here such files are unknown.
bool is_database_file(std::string_view name) noexcept;

/// Whether a log of a database has such a name: `000007.log`.
bool is_log_file(std::string_view name) noexcept;

}  // namespace concerto::persist
