#include "store_view.hpp"

#include <leveldb/iterator.h>

#include <concerto/base/counted.hpp>

#include "dir_entries.hpp"
#include "directory_keys.hpp"
#include "log_reading.hpp"
#include "segment_scans.hpp"
#include "store_listing.hpp"

namespace concerto::persist {
namespace {

class NoLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

Result<std::unique_ptr<leveldb::DB>> open_to_read(leveldb::Env& env, leveldb::Logger& silence,
                                                  const std::string& database) {
  constexpr int tables_open_max = 64;
  CONCERTO_TRY(const EntryKind kind, kind_of(database + "/CURRENT"));
  if (kind == EntryKind::absent) return missing(database + "/CURRENT");
  leveldb::Options options;
  options.paranoid_checks = true;
  options.env = &env;
  options.info_log = &silence;
  options.max_open_files = tables_open_max;
  options.compression = leveldb::kNoCompression;
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, database, &opened);
  if (!status.ok()) return not_read(database, status);
  return std::unique_ptr<leveldb::DB>(opened);
}

Error no_store(const std::string& path, const std::string& why) {
  return make_error(EngineErrc::store_unavailable, "'" + path + "' is not a store: " + why);
}

}  // namespace

Result<std::unique_ptr<StoreView>> StoreView::open(const std::string& path) {
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  if (kind != EntryKind::directory) return no_store(path, "there is no such directory");
  CONCERTO_TRY(std::string store, canonical_dir(path));
  std::unique_ptr<StoreView> view(new StoreView(std::move(store)));
  CONCERTO_TRY(const StoreListing before, list_store(view->path_));
  if (!before.identity) {
    return no_store(
        path, before.creating ? "it is half made or half removed" : "the file IDENTITY is missing");
  }
  CONCERTO_TRY(view->lock_, StoreLock::take_existing(lock_path(view->path_)));
  const std::string identity = identity_path(view->path_), state = state_path(view->path_);
  CONCERTO_TRY(view->identity_text_, read_file(identity));
  CONCERTO_TRY(view->identity_, parse_identity(identity, view->identity_text_));
  CONCERTO_TRY(const EntryKind state_kind, kind_of(state));
  if (state_kind == EntryKind::absent) return missing(state);
  CONCERTO_TRY(const std::string text, read_file(state));
  CONCERTO_TRY(view->state_, parse_state(state, text));
  CONCERTO_TRY(const Leftovers leftovers, find_leftovers(view->path_, view->state_));
  if (!leftovers.unknown.empty()) {
    view->notes_.push_back("in '" + view->path_ +
                           "' is what no store has made: " + name_some(leftovers.unknown));
  }
  CONCERTO_CHECK(view->open_parts());
  return view;
}

Result<std::unique_ptr<StoreView>> StoreView::open_segments(const std::string& path,
                                                            StoreState state) {
  std::unique_ptr<StoreView> view(new StoreView(path));
  view->state_ = std::move(state);
  CONCERTO_CHECK(view->open_parts());
  return view;
}

Result<> StoreView::open_parts() {
  silence_ = std::make_unique<NoLogger>();
  CONCERTO_TRY(const std::vector<LogScan> scans, scan_segments(path_, state_));
  for (std::size_t i = 0; i < scans.size(); ++i) CONCERTO_CHECK(open_part(i, scans[i]));
  last_group_ = parts_.back().last_group;
  return ok();
}

Result<> StoreView::open_part(std::size_t index, const LogScan& scan) {
  const SegmentState& segment = state_.segments[index];
  Part part;
  part.database = log_database(segment_path(path_, segment.number));
  if (scan.torn_bytes > 0) {
    notes_.push_back("the next start drops an unfinished write of " +
                     counted(scan.torn_bytes, "byte") + " at the end of '" + scan.torn_file + "'");
  }
  CONCERTO_TRY(part.log, open_to_read(env_, *silence_, part.database));
  std::uint64_t first = 0, last = segment.first_group - 1;
  {
    const std::unique_ptr<leveldb::Iterator> at(part.log->NewIterator(checked_scan()));
    at->SeekToFirst();
    if (at->Valid()) first = number_of(view(at->key()));
    at->SeekToLast();
    if (at->Valid()) last = number_of(view(at->key()));
    if (!at->status().ok()) return not_read(part.database, at->status());
  }
  if (first != 0 && first != segment.first_group) {
    return make_error(EngineErrc::store_damaged, "'" + part.database + "' begins with group " +
                                                     std::to_string(first) + ", not with " +
                                                     std::to_string(segment.first_group));
  }
  const WantedEnd wanted = wanted_end(state_, index, scan);
  CONCERTO_CHECK(check_end(part.database, last, wanted.group, wanted.exact));
  part.last_group = last;
  parts_.push_back(std::move(part));
  return ok();
}

Result<> StoreView::read(std::size_t index, std::uint64_t first, std::uint64_t last,
                         const UseGroup& use) {
  return read_groups(*parts_[index].log, parts_[index].database, first, last, use);
}

Result<> StoreView::check_directory(std::size_t index) {
  const std::string database =
      directory_database(segment_path(path_, state_.segments[index].number));
  CONCERTO_TRY(const auto directory, open_to_read(directory_env_, *silence_, database));
  const std::unique_ptr<leveldb::Iterator> at(directory->NewIterator(checked_scan()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (key.empty() || key.front() != tag_finished) continue;
    const auto places = decode_places(view(at->value()));
    if (!places || key.size() != 17) return damaged(database, "an entry is malformed");
    if (places->last < places->first || places->last.group > last_group_) {
      return damaged(database, "an entry refers to group " + std::to_string(places->last.group) +
                                   ", and the log ends with " + std::to_string(last_group_));
    }
  }
  if (!at->status().ok()) return not_read(database, at->status());
  return ok();
}

}  // namespace concerto::persist
