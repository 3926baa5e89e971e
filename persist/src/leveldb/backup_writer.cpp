#include "backup_writer.hpp"

#include <algorithm>
#include <memory>
#include <thread>

#include "backup_chain.hpp"
#include "crc32c.hpp"
#include "creating_mark.hpp"
#include "dir_entries.hpp"
#include "store_core.hpp"
#include "store_view.hpp"

namespace concerto::persist {
namespace {

Error refused_backup(std::string why) {
  return make_error(EngineErrc::store_unavailable, std::move(why));
}

std::string partial_path(const std::string& backup) {
  return backup + ".partial";
}

bool is_of_backup(const DirEntry& entry) {
  return entry.kind == EntryKind::file &&
         (entry.name == "IDENTITY" || entry.name == "MANIFEST.json" ||
          (entry.name.starts_with("segment-") && entry.name.ends_with(".groups")));
}

/// Removes what an interrupted backup of the same name has left. If anything else is there, nothing
/// is removed.
Result<> remove_partial(Disk& disk, const std::string& partial) {
  CONCERTO_TRY(const EntryKind kind, kind_of(partial));
  if (kind == EntryKind::absent) return ok();
  if (kind != EntryKind::directory) return refused_backup("'" + partial + "' is in the way");
  CONCERTO_TRY(const auto entries, list_dir(partial));
  for (const DirEntry& entry : entries) {
    if (is_of_backup(entry)) continue;
    return refused_backup("'" + partial + "' holds '" + entry.name + "', which no backup has made");
  }
  for (const DirEntry& entry : entries) CONCERTO_CHECK(disk.remove(partial + "/" + entry.name));
  return disk.remove_dir(partial);
}

/// The part that holds a group. Null if there is none.
const BackupSource::Part* part_of(const BackupSource& source, std::uint64_t group) {
  for (const BackupSource::Part& part : source.parts) {
    if (group >= part.state.first_group && group <= part.last_group) return &part;
  }
  return nullptr;
}

/// Checks that the store continues what the base has.
Result<> check_base(const BackupSource& source, const std::string& base,
                    const BackupManifest& manifest) {
  if (manifest.store != store_mark(source.key)) {
    return refused_backup("the base '" + base + "' is a backup of another store");
  }
  if (manifest.last_group == 0) return ok();
  const std::string last = "group " + std::to_string(manifest.last_group);
  if (manifest.last_group > source.last_group) {
    return refused_backup("the base '" + base + "' ends with " + last +
                          ", and the store has only " + std::to_string(source.last_group));
  }
  const BackupSource::Part* const part = part_of(source, manifest.last_group);
  if (part == nullptr) {
    return refused_backup("the base '" + base + "' is too old: the store has dropped " + last +
                          ", with which the base ends; make a full backup");
  }
  const auto same = [&](std::uint64_t group, std::string_view value) -> Result<> {
    if (group_checksum(group, value) == manifest.last_checksum) return ok();
    return refused_backup("the base '" + base + "' has another " + last +
                          " than the store: the store was restored meanwhile; make a full backup");
  };
  return part->read(manifest.last_group, manifest.last_group, same);
}

/// Writes the files of one backup.
class BackupWriter {
 public:
  BackupWriter(const BackupSource& source, const BackupRequest& request, const Clock& clock,
               std::string directory, Disk& disk)
      : source_(source),
        request_(request),
        clock_(clock),
        backup_(std::move(directory) + "/" + request.name),
        partial_(partial_path(backup_)),
        disk_(disk) {}

  Result<BackupReport> run() {
    CONCERTO_TRY(const EntryKind kind, kind_of(backup_));
    if (kind != EntryKind::absent) return refused_backup("'" + backup_ + "' exists");
    std::uint64_t first = source_.parts.front().state.first_group;
    if (!request_.base.empty()) {
      CONCERTO_TRY(first, read_base());
    }
    CONCERTO_CHECK(remove_partial(disk_, partial_));
    Result<> written = write(first);
    if (written) return manifest_.report(request_.name);
    ignore_error(remove_partial(disk_, partial_), "the next backup of this name removes it");
    return std::move(written).error();
  }

 private:
  /// The first group that the base lacks.
  Result<std::uint64_t> read_base() {
    const std::string path = parent_dir(backup_) + "/" + request_.base;
    CONCERTO_TRY(const StoredManifest base, read_manifest(path));
    // What builds on a chain that cannot be restored would not be a backup.
    CONCERTO_TRY(const BackupChain chain, BackupChain::open(path));
    CONCERTO_CHECK(chain.check_files());
    CONCERTO_CHECK(check_base(source_, request_.base, base.manifest));
    if (request_.verify_base) CONCERTO_CHECK(verify(chain));
    manifest_.base = request_.base;
    manifest_.base_checksum = base.checksum;
    return std::max(base.manifest.last_group + 1, source_.parts.front().state.first_group);
  }

  /// Reads what the new backup will need for a restore.
  Result<> verify(const BackupChain& chain) {
    work_begin_ = clock_.steady_now();
    const auto look = [this](std::uint64_t, std::uint64_t) {
      give_way();
      return !request_.progress || request_.progress(0, 0);
    };
    CONCERTO_TRY([[maybe_unused]] const GroupCheck sound, chain.check(look));
    return ok();
  }

  void give_way() {
    if (source_.give_way) source_.give_way(clock_.steady_now() - work_begin_);
    work_begin_ = clock_.steady_now();
  }

  Result<> write(std::uint64_t first) {
    CONCERTO_CHECK(disk_.create_dir(partial_));
    manifest_.store = store_mark(source_.key);
    manifest_.created = clock_.wall_now();
    manifest_.last_group = source_.last_group;
    if (first <= source_.last_group) manifest_.first_group = first;
    next_ = begin_ = first;
    for (const BackupSource::Part& part : source_.parts) {
      SegmentState state = part.state;
      state.sealed = false;
      manifest_.segments.push_back(state);
      CONCERTO_CHECK(write_part(part, first));
    }
    CONCERTO_CHECK(note_last_group());
    CONCERTO_CHECK(write_file("IDENTITY", source_.identity_text));
    manifest_.identity_checksum = crc32c(0, source_.identity_text);
    CONCERTO_CHECK(write_file("MANIFEST.json", encode(manifest_)));
    CONCERTO_CHECK(disk_.sync_dir(partial_));
    CONCERTO_CHECK(disk_.rename(partial_, backup_));
    return disk_.sync_dir(parent_dir(backup_));
  }

  Result<> write_part(const BackupSource::Part& part, std::uint64_t first) {
    first = std::max(first, part.state.first_group);
    const std::uint64_t last = std::min(part.last_group, source_.last_group);
    if (first > last) return ok();
    const std::string name = segment_path("", part.state.number).substr(1) + ".groups";
    CONCERTO_TRY(GroupFileWriter file, GroupFileWriter::create(disk_, partial_, name));
    work_begin_ = clock_.steady_now();
    CONCERTO_CHECK(part.read(first, last, [&](std::uint64_t group, std::string_view value) {
      return add(file, group, value);
    }));
    CONCERTO_TRY(BackupManifest::File facts, file.end());
    manifest_.files.push_back(std::move(facts));
    return ok();
  }

  Result<> add(GroupFileWriter& file, std::uint64_t group, std::string_view value) {
    constexpr std::size_t piece_bytes = std::size_t{1} << 20;
    CONCERTO_CHECK(file.add(group, value));
    next_ = group + 1;
    if (group == source_.last_group) manifest_.last_checksum = group_checksum(group, value);
    piece_ += value.size();
    if (piece_ < piece_bytes) return ok();
    piece_ = 0;
    if (request_.progress && !request_.progress(next_ - begin_, source_.last_group + 1 - begin_)) {
      return make_error(Errc::shutting_down, "the backup was ended");
    }
    give_way();
    return ok();
  }

  /// The last group may be one that the base has.
  Result<> note_last_group() {
    if (manifest_.first_group != 0 || source_.last_group == 0) return ok();
    const BackupSource::Part* const part = part_of(source_, source_.last_group);
    if (part == nullptr) return ok();  // The log goes on in an empty segment.
    return part->read(source_.last_group, source_.last_group,
                      [this](std::uint64_t group, std::string_view value) {
                        manifest_.last_checksum = group_checksum(group, value);
                        return ok();
                      });
  }

  Result<> write_file(const std::string& name, std::string_view content) {
    CONCERTO_TRY(const auto file, disk_.create(partial_ + "/" + name));
    CONCERTO_CHECK(file->write(0, content));
    return file->sync();
  }

  const BackupSource& source_;
  const BackupRequest& request_;
  const Clock& clock_;
  const std::string backup_;
  const std::string partial_;
  Disk& disk_;
  BackupManifest manifest_;
  std::uint64_t begin_ = 0, next_ = 0;
  std::size_t piece_ = 0;  ///< bytes since the last look at the time
  SteadyTime work_begin_{};
};

}  // namespace

Result<BackupReport> write_backup(const BackupSource& source, const BackupRequest& request,
                                  const Clock& clock) {
  CONCERTO_CHECK(check_backup_name("name", request.name));
  if (!request.base.empty()) CONCERTO_CHECK(check_backup_name("base", request.base));
  CONCERTO_TRY(const bool is_inside, is_within(request.directory, source.store));
  if (is_inside) {
    return refused_backup("'" + request.directory + "' is in the store '" + source.store +
                          "' itself, which must hold nothing else");
  }
  Disk& disk = request.disk != nullptr ? *request.disk : posix_disk();
  CONCERTO_TRY(std::string directory, make_store_directory(disk, request.directory));
  return BackupWriter(source, request, clock, std::move(directory), disk).run();
}

Result<BackupReport> backup_closed_store(const std::string& store, const BackupRequest& request,
                                         const Clock& clock) {
  CONCERTO_TRY(const auto view, StoreView::open(store));
  BackupSource source;
  source.store = store;
  source.identity_text = view->identity_text();
  source.key = view->identity().key;
  source.last_group = view->last_group();
  for (std::size_t i = 0; i < view->state().segments.size(); ++i) {
    source.parts.push_back(
        {view->state().segments[i], view->last_group_of(i),
         [&view, i](std::uint64_t first, std::uint64_t last, const UseGroup& use) {
           return view->read(i, first, last, use);
         }});
  }
  return write_backup(source, request, clock);
}

// The segments are noted before the last group. So a segment that is missing among them was dropped
// after its unfinished transactions had been written anew, in groups that the backup has. Segments
// that are dropped later stay on the disk as long as `segments` holds them.
Result<BackupReport> backup_open_store(StoreCore& core, const BackupRequest& request) {
  CONCERTO_CHECK(core.check_place());
  lower_priority();
  BackupSource source;
  source.store = core.options.path;
  CONCERTO_TRY(source.identity_text, read_file(identity_path(core.options.path)));
  source.key = core.key;
  std::vector<SegmentSet::Held> segments;
  do {
    segments = core.segments.hold_all();
    source.last_group = core.ledger.durable_group();
  } while (core.segments.current() != segments.back().segment);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool is_last = i + 1 == segments.size();
    const std::uint64_t last = is_last ? source.last_group : segments[i + 1].state.first_group - 1;
    source.parts.push_back({segments[i].state, std::min(last, source.last_group),
                            [segment = segments[i].segment](std::uint64_t first, std::uint64_t end,
                                                            const UseGroup& use) {
                              return segment->read_groups(first, end, use);
                            }});
  }
  source.give_way = [&core](std::chrono::nanoseconds took) {
    std::this_thread::sleep_for(core.env.log_env.pace().pause_after(took));
  };
  segments.clear();
  return write_backup(source, request, core.clock);
}

}  // namespace concerto::persist
