#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "disk.hpp"

namespace concerto::persist {

/// What the logs of one database hold, found without LevelDB: it drops a torn tail in silence and
/// takes zeroed space after one for damage, so the store looks first.
struct LogScan {
  std::uint64_t first_group = 0;  ///< 0 when no log holds a group
  std::uint64_t last_group = 0;
  std::uint64_t torn_bytes = 0;  ///< bytes of an unfinished write after the last group
  std::string torn_file;
  std::uint64_t groups_bytes = 0;  ///< of all logs, as far as they hold groups
  std::uint64_t newest_bytes = 0;  ///< of the newest log
  std::string newest_file;         ///< empty when there is no log
};

/// Reads every log of `database` and checks that all listed ones are there, that groups follow
/// each other without a gap, and that nothing but the end of the newest log is unfinished; only a
/// database with `may_be_torn` may have such an end. Errors: store_damaged.
Result<LogScan> scan_logs(const std::string& database, bool may_be_torn);

/// Checks that all listed logs of a segment's directory are there, and lists those that the list
/// lacks: one that was made just before the end, or all of them after a version of this program
/// that kept no list. LevelDB goes on with the newest one. Errors: store_damaged, store_failed.
Result<> check_directory_logs(Disk& disk, const std::string& database);

/// Whether a database may hold groups: it has tables, or logs with anything but zeros in them. One
/// that is absent or half made holds none. Errors: store_failed.
Result<bool> holds_groups(const std::string& database);

/// What LevelDB makes of the newest log: a table, or the log that it writes on.
enum class NewestLog { becomes_table, is_resumed };

/// Cuts a torn tail off, so that LevelDB finds none, and renews the list of logs. A log that is to
/// be resumed ends with its last group then, which is durable.
Result<> repair_logs(Disk& disk, const std::string& database, const LogScan& scan,
                     NewestLog newest);

/// The records of one log file's bytes (LevelDB's log format: blocks of 32 KiB; a record has a
/// masked crc32c, a length and a type).
struct LogContent {
  std::uint64_t first_group = 0;
  std::uint64_t last_group = 0;
  std::uint64_t last_begin = 0;  ///< begin of the last whole record
  std::uint64_t good_bytes = 0;  ///< end of the last whole record
  std::uint64_t torn_bytes = 0;  ///< non-zero content after it
  std::string damage;            ///< what is wrong before the tail; empty when nothing is
};
LogContent read_log(const std::string& bytes);

}  // namespace concerto::persist
