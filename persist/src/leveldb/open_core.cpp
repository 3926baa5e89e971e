// Opening a store's directory: making a new store, or checking what exists before it is used.

#include <cerrno>
#include <system_error>
#include <unistd.h>

#include <sys/random.h>

#include "creating_mark.hpp"
#include "dir_entries.hpp"
#include "file_modes.hpp"
#include "store_core.hpp"

namespace concerto::persist {
namespace {

Result<FingerprintKey> random_key() {
  FingerprintKey key{};
  if (::getrandom(key.data(), sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    return make_error(EngineErrc::store_failed, "the system gives no random numbers: " +
                                                    std::generic_category().message(errno));
  }
  return key;
}

Result<> remove_if_there(Disk& disk, const std::string& path) {
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  return kind == EntryKind::absent ? ok() : disk.remove(path);
}

Result<> remove_segments(Disk& disk, const std::string& store,
                         const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t number : numbers) {
    CONCERTO_CHECK(remove_segment(disk, segment_path(store, number)));
  }
  return ok();
}

/// What is found in a directory that is to be a store.
enum class Finding { nothing, half_made, store };

Error lacks_identity(const std::string& store, const std::string& why) {
  return make_error(
      EngineErrc::store_unavailable,
      "the directory '" + store + "' " + why + ", and '" + identity_path(store) + "' is missing");
}

/// Errors: store_unavailable if the directory is somebody else's, or a store that lacks its
/// identity.
Result<Finding> judge(const std::string& store, const StoreListing& listing) {
  if (listing.identity) return Finding::store;
  if (listing.creating) return Finding::half_made;
  if (listing.state || listing.remains || !listing.segments.empty()) {
    return lacks_identity(store, "holds a damaged store: files of one are there");
  }
  if (!listing.unknown.empty()) {
    return lacks_identity(store,
                          "is not a store: it is not empty (" + name_some(listing.unknown) + ")");
  }
  return Finding::nothing;
}

/// An interrupted creation leaves only empty logs; an interrupted removal may leave others.
Result<> check_half_made(const std::string& store, const StoreListing& listing) {
  CONCERTO_TRY(const std::string text, read_file(creating_path(store)));
  if (text == removing_text) return ok();
  if (text == restoring_text) {
    return make_error(EngineErrc::store_unavailable,
                      "the restore of a backup to '" + store +
                          "' was interrupted: run it again, or empty the directory");
  }
  for (const std::uint64_t number : listing.segments) {
    const std::string path = segment_path(store, number);
    CONCERTO_TRY(const bool used, holds_groups(log_database(path)));
    if (!used) continue;
    return make_error(EngineErrc::store_damaged,
                      "'" + path + "' holds a part of a log, although '" + creating_path(store) +
                          "' says that a new store is being made");
  }
  return ok();
}

Result<> create_files(const LevelDbOptions& options, Disk& disk, const Clock& clock,
                      const StoreListing& listing) {
  const std::string& store = options.path;
  if (listing.creating) {
    CONCERTO_CHECK(check_half_made(store, listing));
    CONCERTO_CHECK(remove_segments(disk, store, listing.segments));
    // Groups of a removed store that came back after a power loss would not fit the next mark.
    CONCERTO_CHECK(disk.sync_dir(store));
  }
  CONCERTO_CHECK(write_creating_mark(disk, store, creating_text));
  SegmentState first;
  first.number = 1;
  first.opened = clock.wall_now();
  {
    SegmentEnv env(disk, options);
    CONCERTO_CHECK(env.start());
    CONCERTO_CHECK(Segment::create(env, segment_path(store, first.number), first));
  }
  StoreState state;
  state.segments = {first};
  state.clean = true;
  CONCERTO_CHECK(replace_file(disk, state_path(store), encode(state)));
  StoreIdentity identity;
  CONCERTO_TRY(identity.key, random_key());
  CONCERTO_CHECK(replace_file(disk, identity_path(store), encode(identity)));
  CONCERTO_CHECK(disk.remove(creating_path(store)));
  return disk.sync_dir(store);
}

/// A store, and a backup, take what they do not know for damage. `place`: a directory with a slash
/// behind it, or empty.
Result<> check_no_store(const std::string& place) {
  const std::string directory = place.empty() ? "./" : place;
  CONCERTO_TRY(const EntryKind kind, kind_of(directory + identity_path("").substr(1)));
  if (kind == EntryKind::absent) return ok();
  return make_error(EngineErrc::store_unavailable,
                    "'" + directory + "' is a store or a backup, which must hold nothing else");
}

}  // namespace

Result<> write_creating_mark(Disk& disk, const std::string& store, std::string_view text) {
  {
    CONCERTO_TRY(const auto file, disk.create(creating_path(store)));
    CONCERTO_CHECK(file->write(0, text));
    CONCERTO_CHECK(file->sync());
  }
  return disk.sync_dir(store);
}

Result<std::string> make_store_directory(Disk& disk, const std::string& path) {
  if (path.empty()) return make_error(EngineErrc::store_unavailable, "the store's path is empty");
  for (std::size_t end = 0; end != path.npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    CONCERTO_TRY(const EntryKind kind, kind_of(part));
    if (kind == EntryKind::directory) continue;
    if (kind != EntryKind::absent) {
      return make_error(EngineErrc::store_unavailable, "'" + part + "' is not a directory");
    }
    CONCERTO_CHECK(check_no_store(part.substr(0, part.rfind('/') + 1)));
    CONCERTO_CHECK(disk.create_dir(part));
    CONCERTO_TRY(const std::string made, canonical_dir(part));
    CONCERTO_CHECK(disk.sync_dir(parent_dir(made)));
  }
  return canonical_dir(path);
}

Result<std::unique_ptr<StoreCore>> open_core(const LevelDbOptions& wanted, const Clock& clock,
                                             Observer& observer) {
  Disk& disk = wanted.disk != nullptr ? *wanted.disk : posix_disk();
  LevelDbOptions options = wanted;
  CONCERTO_TRY(options.path, make_store_directory(disk, wanted.path));
  const std::string& store = options.path;
  // If the directory is somebody else's, not even a lock is created in it.
  CONCERTO_TRY(const StoreListing before, list_store(store));
  CONCERTO_CHECK(judge(store, before));
  CONCERTO_CHECK(check_owner(store, ::geteuid()));
  CONCERTO_TRY(StoreLock lock, StoreLock::take(lock_path(store)));
  CONCERTO_TRY(const StoreListing listing, list_store(store));
  CONCERTO_TRY(const Finding finding, judge(store, listing));
  if (finding != Finding::store) CONCERTO_CHECK(create_files(options, disk, clock, listing));
  if (const auto open = make_store_private(store, listing); !open.empty()) {
    observer.log(LogLevel::warn, "",
                 "in '" + store +
                     "' others may use files that cannot be taken from them: " + name_some(open));
  }
  CONCERTO_TRY(const std::string text, read_file(identity_path(store)));
  CONCERTO_TRY(const StoreIdentity identity, parse_identity(identity_path(store), text));
  auto core = std::make_unique<StoreCore>(options, clock, observer, std::move(lock), identity);
  CONCERTO_CHECK(core->env.start());
  CONCERTO_CHECK(recover(*core));
  return core;
}

Result<> remove_store(Disk& disk, const std::string& path) {
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  if (kind == EntryKind::absent) return ok();
  CONCERTO_TRY(const std::string store, canonical_dir(path));
  CONCERTO_TRY(const StoreListing before, list_store(store));
  CONCERTO_TRY(const Finding finding, judge(store, before));
  // A half-made store has nothing to remove; the next open completes it.
  if (finding != Finding::store) return ok();
  CONCERTO_CHECK(check_owner(store, ::geteuid()));
  CONCERTO_TRY(const StoreLock lock, StoreLock::take(lock_path(store)));
  CONCERTO_TRY(const std::string text, read_file(identity_path(store)));
  CONCERTO_CHECK(parse_identity(identity_path(store), text));
  CONCERTO_TRY(const StoreListing listing, list_store(store));
  CONCERTO_CHECK(write_creating_mark(disk, store, removing_text));
  CONCERTO_CHECK(disk.remove(identity_path(store)));
  // If the identity came back after a power loss, this would be a store that has lost its files.
  CONCERTO_CHECK(disk.sync_dir(store));
  CONCERTO_CHECK(remove_if_there(disk, state_path(store)));
  CONCERTO_CHECK(remove_if_there(disk, state_path(store) + ".new"));
  CONCERTO_CHECK(remove_if_there(disk, identity_path(store) + ".new"));
  CONCERTO_CHECK(remove_zeros(disk, store));
  CONCERTO_CHECK(remove_segments(disk, store, listing.segments));
  // If unknown files are left, the mark stays: only with the mark may the next store begin beside
  // them.
  if (listing.unknown.empty()) CONCERTO_CHECK(disk.remove(creating_path(store)));
  CONCERTO_CHECK(disk.remove(lock_path(store)));
  return disk.sync_dir(store);
}

}  // namespace concerto::persist
