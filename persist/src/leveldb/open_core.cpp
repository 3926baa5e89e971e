// Opening a store's directory: make a new one, or check what is there before it is used.

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "store_core.hpp"

namespace concerto::persist {
namespace {

namespace fs = std::filesystem;

Error missing(const std::string& path) {
  return make_error(Errc::store_damaged, "'" + path + "' is missing");
}

/// Exists while a store is being created, so that an interrupted creation is not taken for a
/// store that has lost its files.
std::string creating_path(const std::string& store) {
  return store + "/CREATING";
}

Result<> mark_creating(Disk& disk, const std::string& store) {
  CONCERTO_CHECK(disk.create(creating_path(store)));
  return disk.sync_dir(store);
}

FingerprintKey random_key() {
  std::random_device device;
  const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

bool has_other_files(const std::string& store) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(store, ignored)) {
    if (entry.path().string() != lock_path(store)) return true;
  }
  return false;
}

bool is_segment(const fs::path& path) {
  return path.filename().string().starts_with("segment-");
}

Result<> remove_segments(Disk& disk, const std::string& store, const std::set<std::string>& kept) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(store, ignored)) {
    const std::string path = entry.path().string();
    if (is_segment(entry.path()) && !kept.contains(path)) {
      CONCERTO_CHECK(remove_tree(disk, path));
    }
  }
  return ok();
}

Result<> remove_if_there(Disk& disk, const std::string& path) {
  return fs::exists(path) ? disk.remove(path) : ok();
}

Result<> create_files(const LevelDbOptions& options, Disk& disk, const Clock& clock) {
  const std::string& store = options.path;
  CONCERTO_CHECK(mark_creating(disk, store));
  CONCERTO_CHECK(remove_segments(disk, store, {}));
  SegmentState first;
  first.number = 1;
  first.opened = clock.wall_now();
  {
    SegmentEnv env(disk, options);
    CONCERTO_CHECK(Segment::create(env, segment_path(store, first.number), first));
  }
  StoreState state;
  state.segments = {first};
  state.clean = true;
  CONCERTO_CHECK(replace_file(disk, state_path(store), encode(state)));
  StoreIdentity identity;
  identity.key = random_key();
  CONCERTO_CHECK(replace_file(disk, identity_path(store), encode(identity)));
  CONCERTO_CHECK(disk.remove(creating_path(store)));
  return disk.sync_dir(store);
}

/// Makes the directory and what leads to it.
Result<> make_directory(Disk& disk, const std::string& path) {
  if (path.empty()) return make_error(Errc::store_unavailable, "the store's path is empty");
  if (fs::is_directory(path)) return ok();
  const std::string parent = parent_dir(path);
  if (parent != path && parent != ".") CONCERTO_CHECK(make_directory(disk, parent));
  CONCERTO_CHECK(disk.create_dir(path));
  return disk.sync_dir(parent);
}

}  // namespace

Result<std::unique_ptr<StoreCore>> open_core(const LevelDbOptions& options, const Clock& clock,
                                             Observer& observer) {
  Disk& disk = options.disk != nullptr ? *options.disk : posix_disk();
  const std::string& store = options.path;
  CONCERTO_CHECK(make_directory(disk, store));
  CONCERTO_TRY(StoreLock lock, StoreLock::take(lock_path(store)));
  const bool has_identity = fs::exists(identity_path(store));
  if (!has_identity && (!has_other_files(store) || fs::exists(creating_path(store)))) {
    CONCERTO_CHECK(create_files(options, disk, clock));
  } else if (!has_identity) {
    return make_error(Errc::store_unavailable,
                      "the directory '" + store + "' is not empty, and '" + identity_path(store) +
                          "' is missing: it is not a store, or a damaged one");
  }
  CONCERTO_CHECK(remove_if_there(disk, creating_path(store)));
  CONCERTO_CHECK(remove_if_there(disk, spare_log_path(store)));
  CONCERTO_TRY(const std::string text, read_file(identity_path(store)));
  CONCERTO_TRY(const StoreIdentity identity, parse_identity(identity_path(store), text));
  auto core = std::make_unique<StoreCore>(options, clock, observer, std::move(lock), identity);
  CONCERTO_CHECK(recover(*core));
  return core;
}

Result<> LevelDbStore::remove(const std::string& path) {
  if (!fs::is_directory(path) || fs::is_empty(path)) return ok();
  if (!fs::exists(identity_path(path))) {
    return make_error(Errc::store_unavailable,
                      "'" + path + "' is not a store: '" + identity_path(path) + "' is missing");
  }
  CONCERTO_TRY(const StoreLock lock, StoreLock::take(lock_path(path)));
  CONCERTO_TRY(const std::string text, read_file(identity_path(path)));
  CONCERTO_CHECK(parse_identity(identity_path(path), text));
  Disk& disk = posix_disk();
  // What is left after an interruption is an interrupted creation, which the next open finishes.
  CONCERTO_CHECK(mark_creating(disk, path));
  CONCERTO_CHECK(disk.remove(identity_path(path)));
  CONCERTO_CHECK(remove_if_there(disk, state_path(path)));
  CONCERTO_CHECK(remove_if_there(disk, state_path(path) + ".new"));
  CONCERTO_CHECK(remove_if_there(disk, identity_path(path) + ".new"));
  CONCERTO_CHECK(remove_if_there(disk, spare_log_path(path)));
  CONCERTO_CHECK(remove_segments(disk, path, {}));
  CONCERTO_CHECK(remove_if_there(disk, creating_path(path)));
  CONCERTO_CHECK(disk.remove(lock_path(path)));
  return disk.sync_dir(path);
}

namespace {

/// The log of a store that is being opened, after its segments have been.
struct LogExtent {
  std::uint64_t last_group = 0;
  std::uint64_t first_unflushed = 0;  ///< first group in LevelDB's logs; 0: none
  bool directory_lost = false;
};

/// A log ends with the wanted group, or, unless that is exact, behind it.
Result<> check_end(const std::string& database, std::uint64_t last, std::uint64_t wanted,
                   bool exact) {
  if (last == wanted || (last > wanted && !exact)) return ok();
  return make_error(Errc::store_damaged,
                    "the log '" + database + "' ends with group " + std::to_string(last) +
                        ", but the store has had group " + std::to_string(wanted) +
                        (last < wanted ? ": the rest is lost" : " as its last one"));
}

Result<> open_segment(StoreCore& core, const StoreState& state, std::size_t index,
                      LogExtent& extent) {
  const SegmentState& segment_state = state.segments[index];
  const bool newest = index + 1 == state.segments.size();
  const std::string path = segment_path(core.options.path, segment_state.number);
  const std::string database = log_database(path);
  if (!fs::is_directory(database)) return missing(database);
  CONCERTO_TRY(const LogScan scan, scan_logs(database, newest && !state.clean));
  if (scan.torn_bytes > 0) {
    core.log(LogLevel::warn, "dropped an unfinished write of " + std::to_string(scan.torn_bytes) +
                                 " bytes at the end of '" + scan.torn_file + "'");
  }
  const std::uint64_t expected = newest ? std::max(scan.last_group, state.checkpoint_end)
                                        : state.segments[index + 1].first_group - 1;
  const bool exact = !newest || state.clean;
  const std::uint64_t wanted = newest && state.clean ? state.clean_last_group : expected;
  // What the logs alone tell is checked before LevelDB turns them into tables.
  if (scan.last_group != 0) {
    CONCERTO_CHECK(check_end(database, scan.last_group, wanted, exact));
  }
  CONCERTO_CHECK(repair_logs(core.disk, database, scan));
  CONCERTO_TRY(auto segment, Segment::open(core.env, path, segment_state));
  CONCERTO_TRY(const auto range, segment->range());
  if (range && range->first != segment_state.first_group) {
    return make_error(Errc::store_damaged, "'" + database + "' begins with group " +
                                               std::to_string(range->first) + ", not with " +
                                               std::to_string(segment_state.first_group));
  }
  const std::uint64_t last = range ? range->second : segment_state.first_group - 1;
  CONCERTO_CHECK(check_end(database, last, wanted, exact));
  if (extent.first_unflushed == 0) extent.first_unflushed = scan.first_group;
  extent.last_group = last;
  extent.directory_lost = extent.directory_lost || segment->directory_lost();
  core.segments.add(std::move(segment));
  return ok();
}

Result<std::uint64_t> restore_part(StoreCore& core, const RecordView& record) {
  if (record.kind == RecordKind::kv_part) {
    auto kv = decode_kv(record.payload);
    if (!kv) return make_error(Errc::store_damaged, "a key-value record is malformed");
    core.ledger.restore_kv(std::move(*kv));
    return 0;
  }
  if (record.kind != RecordKind::active_part) return 0;
  const auto entries = decode_active_part(record.payload);
  if (!entries) return make_error(Errc::store_damaged, "a part of the active set is malformed");
  for (const ActiveEntry& entry : *entries) core.ledger.restore_active(entry);
  return entries->size();
}

Error bad_group(const StoreCore& core, std::uint64_t group) {
  const auto segment = core.segments.of(group);
  return make_error(Errc::store_damaged, "'" + log_database(segment->path()) +
                                             "' is damaged: " + "group " + std::to_string(group) +
                                             " does not pass its checks");
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

/// The active set that the checkpoint wrote.
Result<> read_checkpoint(StoreCore& core, const StoreState& state) {
  std::uint64_t entries = 0;
  std::optional<ActiveEnd> end;
  for (std::uint64_t group = state.checkpoint_first; group <= state.checkpoint_end; ++group) {
    CONCERTO_CHECK(
        for_each_record(core, group, [&](const Place&, const RecordView& record) -> Result<> {
          if (record.kind == RecordKind::active_end) end = decode_active_end(record.payload);
          CONCERTO_TRY(const std::uint64_t added, restore_part(core, record));
          entries += added;
          return ok();
        }));
  }
  if (!end || end->count != entries) {
    return make_error(Errc::store_damaged, "the active set that ends in group " +
                                               std::to_string(state.checkpoint_end) + " of '" +
                                               core.options.path + "' is not complete");
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

}  // namespace

Result<> recover(StoreCore& core) {
  const std::string path = state_path(core.options.path);
  if (!fs::exists(path)) return missing(path);
  CONCERTO_TRY(const std::string text, read_file(path));
  CONCERTO_TRY(StoreState state, parse_state(path, text));
  std::set<std::string> listed;
  for (const SegmentState& segment : state.segments) {
    listed.insert(segment_path(core.options.path, segment.number));
  }
  CONCERTO_CHECK(remove_segments(core.disk, core.options.path, listed));
  LogExtent extent;
  for (std::size_t i = 0; i < state.segments.size(); ++i) {
    CONCERTO_CHECK(open_segment(core, state, i, extent));
  }

  const std::uint64_t oldest = state.segments.front().first_group;
  if (extent.directory_lost) {
    core.log(LogLevel::warn, "a directory of finished transactions is made anew from the log");
    for (const auto& segment : core.segments.all()) CONCERTO_CHECK(segment->forget_finished());
    state.checkpoint_first = state.checkpoint_end = 0;
  }
  for (const auto& segment : core.segments.all()) {
    core.ledger.restore_sequence(segment->state.first_sequence - 1);
    CONCERTO_TRY(const auto moved, segment->moved_entries());
    for (const auto& [gid, places] : moved) core.ledger.restore_moved(gid, places.sequence);
    CONCERTO_TRY(const auto failed, segment->unindexed_failures());
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
  state.clean = false;
  state.clean_last_group = 0;
  core.adopt_state(state);
  core.segment_opened = state.segments.size() > 1;
  return core.change_state([](StoreState&) {});
}

}  // namespace concerto::persist
