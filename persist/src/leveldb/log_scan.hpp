#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "disk.hpp"

namespace concerto::persist {

/// What the logs of one database hold, found without LevelDB. LevelDB drops a torn tail silently
/// and takes zeroed space behind a tail for damage, so the store looks first.
struct LogScan {
  std::uint64_t first_group = 0;  ///< 0: no log holds a group
  std::uint64_t last_group = 0;
  std::uint64_t torn_bytes = 0;  ///< bytes of an unfinished write after the last group
  std::string torn_file;
  std::uint64_t groups_bytes = 0;  ///< of all logs, up to the end of their last groups
  std::uint64_t newest_bytes = 0;  ///< size of the newest log
  std::string newest_file;         ///< empty: there is no log
};

/// Reads every log of `database`. Checks that all listed logs exist, that groups follow each other
/// without a gap, and that only the end of the newest log is unfinished, and that only if
/// `may_be_torn`. Errors: store_damaged.
Result<LogScan> scan_logs(const std::string& database, bool may_be_torn);

/// Checks that all listed logs of a segment's directory exist, and lists those that the list lacks:
/// a log that was created just before the end, or all logs if an older version of this program
/// wrote them, which kept no list. LevelDB continues the newest log. Errors: store_damaged,
/// store_failed.
Result<> check_directory_logs(Disk& disk, const std::string& database);

/// Whether a database may hold groups: it has tables, or logs with anything but zeros in them. A
/// database that is absent or half made holds none. Errors: store_failed.
Result<bool> holds_groups(const std::string& database);

/// What LevelDB makes of the newest log: a table, or the log to which it goes on writing.
enum class NewestLog { becomes_table, is_resumed };

/// Cuts off a torn tail, so that LevelDB finds none, and writes the list of logs anew. A log that
/// is to be resumed then ends with its last group, and that group is durable.
Result<> repair_logs(Disk& disk, const std::string& database, const LogScan& scan,
                     NewestLog newest);

/// The records in the bytes of one log file (LevelDB's log format: blocks of 32 KiB; a record has a
/// masked crc32c, a length and a type).
struct LogContent {
  std::uint64_t first_group = 0;
  std::uint64_t last_group = 0;
  std::uint64_t last_begin = 0;  ///< begin of the last whole record
  std::uint64_t good_bytes = 0;  ///< end of the last whole record
  std::uint64_t torn_bytes = 0;  ///< bytes other than zero behind it
  std::string damage;            ///< what is wrong before the tail; empty: nothing
};
LogContent read_log(const std::string& bytes);

}  // namespace concerto::persist
