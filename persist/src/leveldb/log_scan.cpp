#include "log_scan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "crc32c.hpp"
#include "database_names.hpp"
#include "dir_entries.hpp"
#include "log_env.hpp"
#include "store_files.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t block_bytes = 32768;
constexpr std::size_t header_bytes = 7;
constexpr std::uint32_t mask_delta = 0xa282ead8;

enum FragmentType : std::uint8_t { full = 1, first = 2, middle = 3, last = 4 };

std::uint32_t unmasked(std::uint32_t masked) noexcept {
  const std::uint32_t rotated = masked - mask_delta;
  return (rotated >> 17) | (rotated << 15);
}

struct Fragment {
  FragmentType type = full;
  std::string_view data;
  std::size_t end = 0;
};

/// The fragment at `at`, if there is one and it passes its check.
std::optional<Fragment> fragment_at(std::string_view log, std::size_t at) {
  const std::size_t block_end = std::min(log.size(), (at / block_bytes + 1) * block_bytes);
  if (at + header_bytes > block_end) return std::nullopt;
  Decoder in(log.substr(at, header_bytes));
  const std::uint32_t checksum = unmasked(in.u32());
  const std::size_t low = in.u8();
  const std::size_t length = low | static_cast<std::size_t>(in.u8()) << 8;
  const std::uint8_t type = in.u8();
  if (type < full || type > last || at + header_bytes + length > block_end) return std::nullopt;
  if (crc32c(0, log.substr(at + 6, 1 + length)) != checksum) return std::nullopt;
  return Fragment{static_cast<FragmentType>(type), log.substr(at + header_bytes, length),
                  at + header_bytes + length};
}

/// The group number in the beginning of a write batch that puts one group: sequence:u64 count:u32
/// tag:u8 key:text value:text.
constexpr std::size_t batch_head_bytes = 8 + 4 + 1 + 1 + 8;
std::optional<std::uint64_t> group_of(std::string_view batch) {
  Decoder in(batch);
  in.u64();
  const std::uint32_t count = in.u32();
  const std::uint8_t tag = in.u8();
  const std::string_view key = in.text();
  if (!in.ok() || count != 1 || tag != 1 || key.size() != 8) return std::nullopt;
  return number_of(key);
}

/// Returns where the next fragment begins: the rest of a block that has no room for a header is
/// padding.
std::size_t skip_padding(std::size_t at) {
  const std::size_t left = block_bytes - at % block_bytes;
  return left < header_bytes ? at + left : at;
}

/// The group of the whole record at `at`. Moves `at` to the end of the record. The beginning of the
/// batch may be spread over several fragments.
std::optional<std::uint64_t> record_at(std::string_view log, std::size_t& at) {
  std::string head;
  std::size_t next = skip_padding(at);
  for (bool started = false;; started = true) {
    const auto fragment = fragment_at(log, next);
    if (!fragment) return std::nullopt;
    const bool starts = fragment->type == full || fragment->type == first;
    if (starts == started) return std::nullopt;
    if (head.size() < batch_head_bytes) head += fragment->data.substr(0, batch_head_bytes);
    next = skip_padding(fragment->end);
    if (fragment->type == full || fragment->type == last) {
      at = fragment->end;
      return group_of(head);
    }
  }
}

/// Whether another write follows the one that should begin at `at`. The framing may be lost there,
/// so every byte is tried; the check of a fragment rules out chance hits.
bool another_behind(std::string_view log, std::size_t at) {
  const auto broken = fragment_at(log, skip_padding(at));
  for (at = broken ? broken->end : at + 1; at + header_bytes <= log.size(); ++at) {
    const auto type = static_cast<std::uint8_t>(log[at + 6]);
    if ((type == full || type == first) && fragment_at(log, at)) return true;
  }
  return false;
}

std::uint64_t content_bytes(std::string_view tail) {
  const auto end = tail.find_last_not_of('\0');
  return end == tail.npos ? 0 : end + 1;
}

Result<std::set<std::string>> present_logs(const std::string& database) {
  CONCERTO_TRY(const auto entries, list_dir(database));
  std::set<std::string> present;
  for (const DirEntry& entry : entries) {
    if (is_log_file(entry.name)) present.insert(entry.name);
  }
  return present;
}

/// The logs that the list has, all of which must exist. Other logs are ignored, as LevelDB ignores
/// them: they were not written to yet, or they were removed before.
Result<std::set<std::string>> listed_logs(const std::string& database) {
  const std::string list = log_list_path(database);
  std::set<std::string> listed;  // numbers have equal lengths, so names sort like numbers
  CONCERTO_TRY(const EntryKind list_kind, kind_of(list));
  if (list_kind == EntryKind::absent) {
    CONCERTO_TRY(const auto present, present_logs(database));
    if (present.empty()) return listed;
    return missing(list);
  }
  CONCERTO_TRY(const std::string content, read_file(list));
  // A last line without its end names a log that was not written to.
  for (std::size_t at = 0, end = 0; (end = content.find('\n', at)) != content.npos; at = end + 1) {
    const std::string name = content.substr(at + 1, end - at - 1);
    if (content[at] == '+') {
      listed.insert(name);
    } else if (content[at] == '-') {
      listed.erase(name);
    } else {
      return damaged(list, "a line begins with neither + nor -");
    }
  }
  for (const std::string& name : listed) {
    const std::string path = database + "/" + name;
    CONCERTO_TRY(const EntryKind kind, kind_of(path));
    if (kind != EntryKind::absent) continue;
    return missing(path);
  }
  return listed;
}

Result<> replace_list(Disk& disk, const std::string& database, const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += "+" + name + "\n";
  return replace_file(disk, log_list_path(database), list);
}

Result<> cut_tail(Disk& disk, const std::string& path) {
  CONCERTO_TRY(const std::string bytes, read_file(path));
  CONCERTO_TRY(const auto file, disk.open(path));
  CONCERTO_CHECK(file->truncate(read_log(bytes).good_bytes));
  return file->sync();
}

/// Makes the log end with its last group, because the next group must begin there. Perhaps only the
/// system's cache has the last group, even after a failed sync; so the group is written again to
/// the same place. The groups before it were synced, or the last one would not have been written.
Result<> end_with_last_group(Disk& disk, const std::string& path) {
  CONCERTO_TRY(const std::string bytes, read_file(path));
  const LogContent content = read_log(bytes);
  CONCERTO_TRY(const auto file, disk.open(path));
  CONCERTO_CHECK(file->truncate(content.good_bytes));
  const auto last =
      std::string_view(bytes).substr(content.last_begin, content.good_bytes - content.last_begin);
  if (!last.empty()) CONCERTO_CHECK(file->write(content.last_begin, last));
  return file->sync();
}

/// A log that was created and not listed yet has nothing but zeros, and LevelDB may resume it.
Result<> empty_unused_logs(Disk& disk, const std::string& database,
                           const std::set<std::string>& listed) {
  CONCERTO_TRY(const auto entries, list_dir(database));
  for (const DirEntry& entry : entries) {
    if (!is_log_file(entry.name) || listed.contains(entry.name)) continue;
    const std::string path = database + "/" + entry.name;
    CONCERTO_TRY(const std::string bytes, read_file(path));
    if (content_bytes(bytes) > 0) continue;
    CONCERTO_TRY(const auto file, disk.open(path));
    CONCERTO_CHECK(file->truncate(0));
  }
  return ok();
}

}  // namespace

LogContent read_log(const std::string& bytes) {
  LogContent content;
  const std::string_view log = bytes;
  std::size_t at = 0;
  while (const auto group = record_at(log, at)) {
    if (content.last_group != 0 && *group != content.last_group + 1) {
      content.damage = "group " + std::to_string(*group) + " follows group " +
                       std::to_string(content.last_group);
      return content;
    }
    if (content.first_group == 0) content.first_group = *group;
    content.last_group = *group;
    content.last_begin = content.good_bytes;
    content.good_bytes = at;
  }
  content.torn_bytes = content_bytes(log.substr(content.good_bytes));
  // Only one group at a time is being written. Another group behind it proves that it was whole
  // once.
  if (content.torn_bytes > 0 && another_behind(log, content.good_bytes)) {
    content.damage = "byte " + std::to_string(content.good_bytes) +
                     " should begin a group, and another one stands behind it";
  }
  return content;
}

Result<LogScan> scan_logs(const std::string& database, bool may_be_torn) {
  CONCERTO_TRY(const std::set<std::string> names, listed_logs(database));
  LogScan scan;
  for (const std::string& name : names) {
    const std::string path = database + "/" + name;
    CONCERTO_TRY(const std::string bytes, read_file(path));
    const LogContent content = read_log(bytes);
    if (!content.damage.empty()) return damaged(path, content.damage);
    const bool newest = name == *names.rbegin();
    scan.groups_bytes += content.good_bytes;
    if (newest) {
      scan.newest_bytes = content.good_bytes;
      scan.newest_file = path;
    }
    if (content.torn_bytes > 0 && !(newest && may_be_torn)) {
      return damaged(
          path, "byte " + std::to_string(content.good_bytes) + " begins a write that is not whole");
    }
    if (content.torn_bytes > 0) {
      scan.torn_bytes = content.torn_bytes;
      scan.torn_file = path;
    }
    if (content.first_group == 0) continue;
    if (scan.last_group != 0 && content.first_group != scan.last_group + 1) {
      return damaged(path, "it begins with group " + std::to_string(content.first_group) +
                               ", the log before it ends with group " +
                               std::to_string(scan.last_group));
    }
    if (scan.first_group == 0) scan.first_group = content.first_group;
    scan.last_group = content.last_group;
  }
  return scan;
}

Result<> check_directory_logs(Disk& disk, const std::string& database) {
  CONCERTO_TRY(const auto present, present_logs(database));
  // LevelDB creates the next log before it removes one, so a complete database has a log.
  if (present.empty()) return damaged(database, "it has no log");
  CONCERTO_TRY(const EntryKind list_kind, kind_of(log_list_path(database)));
  if (list_kind != EntryKind::absent) {
    CONCERTO_TRY(const auto listed, listed_logs(database));
    if (listed == present) return ok();
  }
  // A listed log must exist after a power loss, too.
  CONCERTO_CHECK(disk.sync_dir(database));
  return replace_list(disk, database, present);
}

Result<bool> holds_groups(const std::string& database) {
  CONCERTO_TRY(const EntryKind kind, kind_of(database));
  if (kind != EntryKind::directory) return false;
  CONCERTO_TRY(const auto entries, list_dir(database));
  for (const DirEntry& entry : entries) {
    if (!is_database_file(entry.name)) continue;
    if (entry.name.ends_with(".ldb") || entry.name.ends_with(".sst")) return true;
    if (!is_log_file(entry.name)) continue;
    CONCERTO_TRY(const std::string bytes, read_file(database + "/" + entry.name));
    if (content_bytes(bytes) > 0) return true;
  }
  return false;
}

Result<> repair_logs(Disk& disk, const std::string& database, const LogScan& scan,
                     NewestLog newest) {
  CONCERTO_TRY(const std::set<std::string> names, listed_logs(database));
  if (scan.torn_bytes > 0) CONCERTO_CHECK(cut_tail(disk, scan.torn_file));
  if (newest == NewestLog::is_resumed) {
    CONCERTO_CHECK(empty_unused_logs(disk, database, names));
    if (!scan.newest_file.empty()) CONCERTO_CHECK(end_with_last_group(disk, scan.newest_file));
  }
  return replace_list(disk, database, names);
}

}  // namespace concerto::persist
