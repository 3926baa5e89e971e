// A store is made of a backup. Until the restored store was read again, the file CREATING says that
// a restore has not ended, and the directory has no IDENTITY: no coordinator starts on it.

#include <algorithm>
#include <memory>
#include <optional>

#include "backup_chain.hpp"
#include "creating_mark.hpp"
#include "dir_entries.hpp"
#include "segment.hpp"
#include "store_listing.hpp"
#include "store_lock.hpp"
#include "store_view.hpp"

namespace concerto::persist {
namespace {

Error not_empty(const std::string& store, const std::string& what) {
  return make_error(EngineErrc::store_unavailable,
                    "'" + store + "' is not empty: it holds " + what);
}

/// Makes sure that the directory may become the restored store, and removes what an interrupted
/// restore has left there.
Result<> clear_directory(Disk& disk, const std::string& store) {
  CONCERTO_TRY(const StoreListing listing, list_store(store));
  if (!listing.unknown.empty()) return not_empty(store, name_some(listing.unknown));
  std::string text;
  if (listing.creating) {
    CONCERTO_TRY(text, read_file(creating_path(store)));
  }
  if (text != restoring_text) {
    if (listing.identity || listing.state || listing.remains || listing.creating ||
        !listing.segments.empty()) {
      return not_empty(store, "a store");
    }
    return write_creating_mark(disk, store, restoring_text);
  }
  for (const std::uint64_t number : listing.segments) {
    CONCERTO_CHECK(remove_segment(disk, segment_path(store, number)));
  }
  for (const std::string& path : {identity_path(store), state_path(store)}) {
    for (const std::string& file : {path, path + ".new"}) {
      CONCERTO_TRY(const EntryKind kind, kind_of(file));
      if (kind != EntryKind::absent) CONCERTO_CHECK(disk.remove(file));
    }
  }
  return disk.sync_dir(store);
}

/// Writes the groups of a backup into new segments.
class SegmentWriter {
 public:
  SegmentWriter(Disk& disk, const LevelDbOptions& options, std::vector<SegmentState> segments)
      : disk_(disk), path_(options.path), segments_(std::move(segments)), env_(disk, options) {}

  Result<> start() {
    CONCERTO_CHECK(env_.start());
    return begin(0);
  }
  Result<> add(std::uint64_t group, std::string_view value) {
    while (at_ + 1 < segments_.size() && segments_[at_ + 1].first_group <= group) {
      CONCERTO_CHECK(end());
      CONCERTO_CHECK(begin(at_ + 1));
    }
    return segment_->append(group, value);
  }
  /// Makes everything durable. Segments at the end may be empty.
  Result<> finish() {
    CONCERTO_CHECK(end());
    while (at_ + 1 < segments_.size()) {
      CONCERTO_CHECK(begin(at_ + 1));
      CONCERTO_CHECK(end());
    }
    return disk_.sync_dir(path_);
  }

 private:
  Result<> begin(std::size_t index) {
    at_ = index;
    const SegmentState& state = segments_[index];
    CONCERTO_TRY(segment_, Segment::create(env_, segment_path(path_, state.number), state));
    return ok();
  }
  Result<> end() {
    CONCERTO_CHECK(segment_->flush_log());
    const std::string path = segment_->path();
    segment_.reset();
    CONCERTO_CHECK(disk_.sync_dir(log_database(path)));
    return disk_.sync_dir(directory_database(path));
  }

  Disk& disk_;
  const std::string path_;
  const std::vector<SegmentState> segments_;
  SegmentEnv env_;
  std::shared_ptr<Segment> segment_;
  std::size_t at_ = 0;
};

/// The state of a store whose directories are to be made from its log.
StoreState restored_state(const BackupManifest& manifest) {
  StoreState state;
  state.segments = manifest.segments;
  state.clean = true;
  state.clean_last_group = manifest.last_group;
  return state;
}

Result<> write_segments(Disk& disk, const std::string& store, const BackupChain& chain,
                        ProgressMeter& meter) {
  LevelDbOptions options;
  options.path = store;
  options.sync = false;  // everything is synced when a segment is complete
  options.zero_step_bytes = 0;
  SegmentWriter writer(disk, options, chain.newest().segments);
  CONCERTO_CHECK(writer.start());
  const auto add = [&](std::uint64_t group, std::string_view value) -> Result<> {
    CONCERTO_CHECK(writer.add(group, value));
    return meter.add(value.size());
  };
  CONCERTO_CHECK(chain.read(add));
  return writer.finish();
}

/// Reads what was written, from the files of the new store.
Result<> compare(const std::string& store, const StoreState& state, const GroupCheck& wanted,
                 ProgressMeter& meter) {
  CONCERTO_TRY(const auto view, StoreView::open_segments(store, state));
  GroupCheck found(store);
  for (std::size_t i = 0; i < state.segments.size(); ++i) {
    const auto add = [&](std::uint64_t group, std::string_view value) -> Result<> {
      CONCERTO_CHECK(found.add(group, value));
      return meter.add(value.size());
    };
    CONCERTO_CHECK(view->read(i, state.segments[i].first_group, view->last_group_of(i), add));
  }
  if (found.checksum() == wanted.checksum()) return ok();
  return damaged(store, "the restored groups are not those of the backup");
}

}  // namespace

Result<CheckReport> restore_backup(const std::string& backup, const std::string& path,
                                   const WorkProgress& progress, Disk* used_disk) {
  Disk& disk = used_disk != nullptr ? *used_disk : posix_disk();
  CONCERTO_TRY(const BackupChain chain, BackupChain::open(backup));
  CONCERTO_TRY(const bool is_inside, is_within(path, backup));
  if (is_inside) {
    return make_error(EngineErrc::store_unavailable,
                      "'" + path + "' is in the backup '" + backup + "' itself");
  }
  const std::uint64_t groups = chain.group_count();
  const WorkProgress checked = [&](std::uint64_t done, std::uint64_t) {
    return !progress || progress(done, 3 * groups);
  };
  CONCERTO_TRY(const GroupCheck wanted, chain.check(checked));
  const WorkProgress written = [&](std::uint64_t done, std::uint64_t) {
    return !progress || progress(groups + done, 3 * groups);
  };
  ProgressMeter meter(written, 2 * groups);
  CONCERTO_TRY(const std::string store, make_store_directory(disk, path));
  CONCERTO_CHECK(clear_directory(disk, store));
  {
    CONCERTO_TRY(const StoreLock lock, StoreLock::take(lock_path(store)));
    CONCERTO_CHECK(write_segments(disk, store, chain, meter));
    const StoreState state = restored_state(chain.newest());
    CONCERTO_CHECK(compare(store, state, wanted, meter));
    CONCERTO_CHECK(replace_file(disk, state_path(store), encode(state)));
    CONCERTO_CHECK(replace_file(disk, identity_path(store), chain.identity_text()));
    CONCERTO_CHECK(disk.remove(creating_path(store)));
    CONCERTO_CHECK(disk.sync_dir(store));
  }
  CheckReport report;
  wanted.count_into(report);
  report.segments = chain.newest().segments.size();
  report.last_group = chain.newest().last_group;
  return report;
}

}  // namespace concerto::persist
