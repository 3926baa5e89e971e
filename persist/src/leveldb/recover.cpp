// Checking and reading the files of an existing store when it is opened. Nothing is removed before
// everything was found sound.

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include <concerto/base/counted.hpp>

#include "database_names.hpp"
#include "dir_entries.hpp"
#include "segment_scans.hpp"
#include "store_core.hpp"

namespace concerto::persist {
namespace {

/// The room that a start needs, and the room that there is. All zero while not known.
struct StartRoom {
  std::uint64_t needed_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t held_bytes = 0;  ///< by the store's files of zeros
  bool is_enough = true;
};

/// The log of a store that is being opened, after its segments have been.
struct LogExtent {
  std::uint64_t last_group = 0;
  std::uint64_t first_unflushed = 0;  ///< first group in LevelDB's logs; 0: none
  bool directory_lost = false;
};

/// Bytes that a start writes for each database besides tables: lists, manifests and the like.
constexpr std::uint64_t small_files_bytes = std::uint64_t{16} << 10;

/// The largest size of a table made of so many bytes of log.
std::uint64_t table_bytes(std::uint64_t log_bytes) {
  return log_bytes + log_bytes / 4;
}

/// Bytes of a directory's logs without the newest one, which is continued.
std::uint64_t older_log_bytes(const std::string& database) {
  std::uint64_t all = 0, newest = 0;
  const auto entries = list_dir(database);
  if (!entries) return 0;  // lost, so it is made anew
  for (const DirEntry& entry : *entries) {
    if (!is_log_file(entry.name)) continue;
    std::error_code gone;
    const std::uintmax_t size = std::filesystem::file_size(database + "/" + entry.name, gone);
    newest = gone ? 0 : size;  // entries are ordered by name
    all += newest;
  }
  return all - newest;
}

/// Decides what the newest logs become, and whether the room that the store holds back may be used.
/// If that room is not enough for the start, it is left as it is. Nothing is changed yet.
StartRoom look_at_room(StoreCore& core, const StoreState& state,
                       const std::vector<LogScan>& scans) {
  StartRoom room;
  std::uint64_t resumed = small_files_bytes, newest = 0;
  std::uint64_t tables = 0;
  for (std::size_t i = 0; i < scans.size(); ++i) {
    const std::string path = segment_path(core.options.path, state.segments[i].number);
    resumed += small_files_bytes;
    if (state.segments[i].sealed) continue;
    resumed += table_bytes(scans[i].groups_bytes - scans[i].newest_bytes) +
               table_bytes(older_log_bytes(directory_database(path)));
    tables += table_bytes(scans[i].newest_bytes);
    newest = std::max(newest, scans[i].newest_bytes);
  }
  const auto free = core.disk.free_bytes(core.options.path);
  if (!free) return room;  // not every file system reports it
  room.free_bytes = *free;
  room.held_bytes = bytes_of_zeros(core.options.path);
  const bool resumes = *free < resumed + tables && newest <= core.options.write_buffer_bytes * 2;
  if (resumes) core.env.resume_logs(newest);
  room.needed_bytes = resumes ? resumed : resumed + tables;
  room.is_enough = room.free_bytes + room.held_bytes >= room.needed_bytes;
  if (!room.is_enough) core.env.disk.space().give_from(nullptr);
  return room;
}

Result<> open_segment(StoreCore& core, const StoreState& state, std::size_t index,
                      const LogScan& scan, LogExtent& extent) {
  const SegmentState& segment_state = state.segments[index];
  const std::string path = segment_path(core.options.path, segment_state.number);
  const std::string database = log_database(path);
  if (scan.torn_bytes > 0) {
    core.log(LogLevel::warn, "dropped an unfinished write of " + counted(scan.torn_bytes, "byte") +
                                 " at the end of '" + scan.torn_file + "'");
  }
  CONCERTO_CHECK(
      repair_logs(core.disk, database, scan,
                  core.env.resumes_logs ? NewestLog::is_resumed : NewestLog::becomes_table));
  CONCERTO_TRY(auto segment, Segment::open(core.env, path, segment_state));
  CONCERTO_TRY(const auto range, segment->range());
  if (range && range->first != segment_state.first_group) {
    return make_error(EngineErrc::store_damaged, "'" + database + "' begins with group " +
                                                     std::to_string(range->first) + ", not with " +
                                                     std::to_string(segment_state.first_group));
  }
  const std::uint64_t last = range ? range->second : segment_state.first_group - 1;
  const WantedEnd wanted = wanted_end(state, index, scan);
  CONCERTO_CHECK(check_end(database, last, wanted.group, wanted.exact));
  if (extent.first_unflushed == 0) extent.first_unflushed = scan.first_group;
  extent.last_group = last;
  extent.directory_lost = extent.directory_lost || segment->directory_lost();
  core.segments.add(std::move(segment), segment_state);
  return ok();
}

Result<> remove_leftovers(StoreCore& core, const Leftovers& found) {
  const std::string& store = core.options.path;
  for (const std::uint64_t number : found.segments) {
    CONCERTO_CHECK(remove_segment(core.disk, segment_path(store, number)));
  }
  CONCERTO_TRY(const EntryKind creating, kind_of(creating_path(store)));
  if (creating == EntryKind::file) CONCERTO_CHECK(core.disk.remove(creating_path(store)));
  CONCERTO_CHECK(core.env.log_env.remove_old_spare());
  if (!found.unknown.empty()) {
    core.log(LogLevel::warn, "in '" + store + "' is what no store has made: " +
                                 name_some(found.unknown) + "; it is left alone");
  }
  return ok();
}

Result<std::uint64_t> restore_part(StoreCore& core, const RecordView& record) {
  if (record.kind == RecordKind::kv_part) {
    auto kv = decode_kv(record.payload);
    if (!kv) return make_error(EngineErrc::store_damaged, "a key-value record is malformed");
    core.ledger.restore_kv(std::move(*kv));
    return 0;
  }
  if (record.kind != RecordKind::unfinished_part) return 0;
  const auto entries = decode_unfinished_part(record.payload);
  if (!entries) {
    return make_error(EngineErrc::store_damaged,
                      "a part of the list of unfinished transactions is malformed");
  }
  for (const UnfinishedEntry& entry : *entries) core.ledger.restore_unfinished(entry);
  return entries->size();
}

Error bad_group(const StoreCore& core, std::uint64_t group) {
  const auto segment = core.segments.of(group);
  return damaged(log_database(segment->path()),
                 "group " + std::to_string(group) + " does not pass its checks");
}

/// Calls `use(place, record)` for every record of a group.
template <class Use>
Result<> for_each_record(const StoreCore& core, std::uint64_t group, Use use) {
  CONCERTO_TRY(const auto bytes, core.segments.read(group));
  auto offset = first_record(*bytes);
  if (!offset) return bad_group(core, group);
  while (*offset < bytes->size()) {
    const Place place{group, static_cast<std::uint32_t>(*offset)};
    const auto record = read_record(*bytes, *offset);
    if (!record) return bad_group(core, group);
    CONCERTO_CHECK(use(place, *record));
  }
  return ok();
}

/// Reads the unfinished transactions that the checkpoint wrote.
Result<> read_checkpoint(StoreCore& core, const StoreState& state) {
  std::uint64_t entries = 0;
  std::optional<UnfinishedEnd> end;
  for (std::uint64_t group = state.checkpoint_first; group <= state.checkpoint_end; ++group) {
    CONCERTO_CHECK(
        for_each_record(core, group, [&](const Place&, const RecordView& record) -> Result<> {
          const bool is_end = record.kind == RecordKind::unfinished_end;
          if (is_end) end = decode_unfinished_end(record.payload);
          CONCERTO_TRY(const std::uint64_t added, restore_part(core, record));
          entries += added;
          return ok();
        }));
  }
  if (!end || end->count != entries) {
    return make_error(EngineErrc::store_damaged,
                      "the list of unfinished transactions that ends in group " +
                          std::to_string(state.checkpoint_end) + " of '" + core.options.path +
                          "' is not complete");
  }
  core.ledger.restore_sequence(end->last_sequence);
  return ok();
}

Result<> verify(StoreCore& core, std::uint64_t from, std::uint64_t before, std::uint64_t oldest) {
  std::uint64_t bytes = 0;
  for (std::uint64_t group = before - 1; group >= oldest; --group) {
    if (group < from && bytes >= core.options.verify_bytes) break;
    CONCERTO_CHECK(for_each_record(core, group, [&](const Place&, const RecordView& record) {
      bytes += record.payload.size();
      return ok();
    }));
  }
  return ok();
}

/// Empties the directories of all segments. They are then made anew from the whole log, which must
/// be sound. The state first says that no checkpoint has filled them, because a start that is
/// interrupted later would otherwise take empty directories for complete ones.
Result<> forget_directories(StoreCore& core, std::uint64_t oldest, std::uint64_t last) {
  core.log(LogLevel::warn, "a directory of finished transactions is made anew from the log");
  CONCERTO_CHECK(verify(core, oldest, last + 1, oldest));
  CONCERTO_CHECK(core.change_state(
      [](StoreState& state) { state.checkpoint_first = state.checkpoint_end = 0; }));
  return core.segments.forget_finished();
}

Result<> recover_files(StoreCore& core, StartRoom& room) {
  const std::string& store = core.options.path;
  const std::string path = state_path(store);
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  if (kind == EntryKind::absent) return missing(path);
  CONCERTO_TRY(const std::string text, read_file(path));
  CONCERTO_TRY(StoreState state, parse_state(path, text));
  CONCERTO_TRY(const Leftovers leftovers, find_leftovers(store, state));
  CONCERTO_TRY(const std::vector<LogScan> scans, scan_segments(store, state));
  room = look_at_room(core, state, scans);
  LogExtent extent;
  for (std::size_t i = 0; i < state.segments.size(); ++i) {
    CONCERTO_CHECK(open_segment(core, state, i, scans[i], extent));
  }

  const std::uint64_t oldest = state.segments.front().first_group;
  core.adopt_state(state);
  if (extent.directory_lost) CONCERTO_CHECK(forget_directories(core, oldest, extent.last_group));
  state = core.state();
  for (const auto& segment : core.segments.all()) {
    core.ledger.restore_sequence(segment->first_sequence() - 1);
    CONCERTO_TRY(const auto moved, segment->moved_entries());
    for (const auto& [gid, places] : moved) core.ledger.restore_moved(gid, places.sequence);
    CONCERTO_TRY(const auto failed, segment->unindexed_failures(
                                        core.segments.facts_of(*segment).state.newest_failure));
    for (const FailedEntry& entry : failed) core.ledger.restore_failed(entry);
  }
  std::uint64_t replay_from = oldest;
  if (state.checkpoint_first != 0) {
    CONCERTO_CHECK(read_checkpoint(core, state));
    replay_from = state.checkpoint_first;
  }
  for (std::uint64_t group = replay_from; group <= extent.last_group; ++group) {
    CONCERTO_CHECK(for_each_record(core, group, [&](const Place& place, const RecordView& record) {
      return core.ledger.replay(place, record);
    }));
  }
  const std::uint64_t unflushed =
      extent.first_unflushed == 0 ? replay_from : extent.first_unflushed;
  CONCERTO_CHECK(verify(core, unflushed, replay_from, oldest));
  core.ledger.begin_at(extent.last_group + 1);
  core.segment_opened = state.segments.size() > 1;
  CONCERTO_CHECK(core.change_state([](StoreState& running) {
    running.clean = false;
    running.clean_last_group = 0;
  }));
  return remove_leftovers(core, leftovers);
}

std::string in_kibibytes(std::uint64_t bytes) {
  return std::to_string((bytes + 1023) >> 10) + " KiB";
}

}  // namespace

Result<> recover(StoreCore& core) {
  StartRoom room;
  Result<> done = recover_files(core, room);
  if (done || room.is_enough || !lacks_space(done.error().detail)) return done;
  Error error = std::move(done).error();
  error.detail += "; a start needs up to " + in_kibibytes(room.needed_bytes) + ", and " +
                  in_kibibytes(room.free_bytes) + " were free and " +
                  in_kibibytes(room.held_bytes) +
                  " held back by the store, which are left as they are: make room on the disk";
  return error;
}

}  // namespace concerto::persist
