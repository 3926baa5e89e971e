#include "store_listing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "database_names.hpp"
#include "dir_entries.hpp"
#include "disk_room.hpp"
#include "segment.hpp"
#include "spare_log.hpp"
#include "store_files.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t names_shown_max = 5;

std::string name_of(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

/// A name is a segment's only if it is exactly the name that a segment of this number has.
std::optional<std::uint64_t> segment_number(const std::string& name) {
  const auto digits = name.find_first_of("0123456789");
  if (digits == name.npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, failed] = std::from_chars(name.data() + digits, end, number);
  if (failed != std::errc{} || rest != end || number == 0) return std::nullopt;
  if (name_of(segment_path("", number)) != name) return std::nullopt;
  return number;
}

bool is_of_database(const DirEntry& entry) {
  return entry.kind == EntryKind::file && is_database_file(entry.name);
}

/// Entries that file systems and tools put into the directories of others.
bool is_furniture(const std::string& name) {
  constexpr std::array<std::string_view, 6> known{"lost+found",   "System Volume Information",
                                                  "$RECYCLE.BIN", "@eaDir",
                                                  "aquota.user",  "aquota.group"};
  return name.starts_with('.') || std::find(known.begin(), known.end(), name) != known.end();
}

void note_unknown(StoreListing& listing, const std::string& path) {
  if (!is_furniture(name_of(path))) listing.unknown.push_back(path);
}

Result<> look_into(StoreListing& listing, const std::string& store, const std::string& segment) {
  CONCERTO_TRY(const auto parts, list_dir(store + "/" + segment));
  for (const DirEntry& part : parts) {
    const std::string path = segment + "/" + part.name;
    const bool ours = path == log_database(segment) || path == directory_database(segment);
    if (!ours || part.kind != EntryKind::directory) {
      note_unknown(listing, path);
      continue;
    }
    listing.known.push_back(path);
    CONCERTO_TRY(const auto files, list_dir(store + "/" + path));
    for (const DirEntry& file : files) {
      if (is_of_database(file)) {
        listing.known.push_back(path + "/" + file.name);
      } else {
        note_unknown(listing, path + "/" + file.name);
      }
    }
  }
  return ok();
}

void note_file(StoreListing& listing, const std::string& name) {
  const auto is = [&name](const std::string& path) { return name == name_of(path); };
  const auto is_new = [&name](const std::string& path) { return name == name_of(path) + ".new"; };
  if (is(lock_path(""))) {
    // The lock does not show that this is a store: the caller may just have created it.
  } else if (is(identity_path(""))) {
    listing.identity = true;
  } else if (is(state_path(""))) {
    listing.state = true;
  } else if (is(creating_path(""))) {
    listing.creating = true;
  } else if (is(spare_log_path("")) || is(reserve_path("")) || is_new(identity_path("")) ||
             is_new(state_path(""))) {
    listing.remains = true;
  } else {
    note_unknown(listing, name);
    return;
  }
  listing.known.push_back(name);
}

}  // namespace

Result<StoreListing> list_store(const std::string& store) {
  StoreListing listing;
  CONCERTO_TRY(const auto entries, list_dir(store));
  for (const DirEntry& entry : entries) {
    const auto number = segment_number(entry.name);
    if (number && entry.kind == EntryKind::directory) {
      listing.segments.push_back(*number);
      listing.known.push_back(entry.name);
      CONCERTO_CHECK(look_into(listing, store, entry.name));
    } else if (entry.kind == EntryKind::file) {
      note_file(listing, entry.name);
    } else {
      note_unknown(listing, entry.name);
    }
  }
  std::sort(listing.segments.begin(), listing.segments.end());
  return listing;
}

std::string name_some(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t shown = std::min(names.size(), names_shown_max);
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", '" : "'") + names[i] + "'";
  if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

Result<> remove_database(Disk& disk, const std::string& database) {
  CONCERTO_TRY(const EntryKind kind, kind_of(database));
  if (kind != EntryKind::directory) return ok();
  CONCERTO_TRY(const auto entries, list_dir(database));
  bool empty = true;
  for (const DirEntry& entry : entries) {
    if (!is_of_database(entry)) {
      empty = false;
      continue;
    }
    CONCERTO_CHECK(disk.remove(database + "/" + entry.name));
  }
  return empty ? disk.remove_dir(database) : disk.sync_dir(database);
}

Result<> remove_segment(Disk& disk, const std::string& segment) {
  CONCERTO_TRY(const EntryKind kind, kind_of(segment));
  if (kind != EntryKind::directory) return ok();
  CONCERTO_CHECK(remove_database(disk, log_database(segment)));
  CONCERTO_CHECK(remove_database(disk, directory_database(segment)));
  CONCERTO_TRY(const auto left, list_dir(segment));
  return left.empty() ? disk.remove_dir(segment) : disk.sync_dir(segment);
}

}  // namespace concerto::persist
