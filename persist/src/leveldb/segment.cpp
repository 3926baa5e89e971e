#include "segment.hpp"

#include <algorithm>
#include <filesystem>

#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include <concerto/base/assert.hpp>

#include "dir_entries.hpp"
#include "directory_keys.hpp"
#include "log_reading.hpp"
#include "store_listing.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t block_cache_bytes = std::size_t{8} << 20;
constexpr std::size_t directory_buffer_bytes = std::size_t{16} << 20;
constexpr std::size_t table_bytes_max = std::size_t{32} << 20;
constexpr int open_files_max = 64;

class SilentLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

Error not_opened(const std::string& path, const leveldb::Status& status) {
  if (status.IsCorruption() || status.IsNotFound()) return damaged(path, status.ToString());
  return make_error(EngineErrc::store_failed, "cannot open '" + path + "': " + status.ToString());
}

/// Without the file CURRENT, LevelDB takes a database for one that is to be made.
Result<> check_current(const std::string& database) {
  const std::string current = database + "/CURRENT";
  CONCERTO_TRY(const EntryKind kind, kind_of(current));
  if (kind != EntryKind::absent) return ok();
  return missing(current);
}

std::string finished_key(const Fingerprint& fingerprint) {
  return tag_finished + to_bytes(fingerprint);
}

std::string encode_places(const FinishedPlaces& places) {
  std::string value;
  Encoder out(value);
  out.u64(places.sequence);
  out.u64(places.first.group);
  out.u32(places.first.offset);
  out.u64(places.last.group);
  out.u32(places.last.offset);
  out.u8(static_cast<std::uint8_t>(places.status));
  return value;
}

/// A range behind all keys: LevelDB writes its table in memory to disk and merges nothing.
void write_tables(leveldb::DB& database) {
  const std::string behind(17, '\xff');
  const leveldb::Slice end(behind);
  database.CompactRange(&end, &end);
}

leveldb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

SegmentEnv::SegmentEnv(Disk& used, const LevelDbOptions& options)
    : disk(used),
      files(disk),
      log_env(disk, LogEnv::Logs::synced,
              {.zero_step_bytes = options.zero_step_bytes,
               .spare_path = options.zero_step_bytes > 0 ? spare_log_path(options.path) : "",
               .log_bytes = options.write_buffer_bytes}),
      directory_env(disk, LogEnv::Logs::plain, {}),
      cache(leveldb::NewLRUCache(block_cache_bytes)),
      silence(std::make_unique<SilentLogger>()),
      write_buffer_bytes(options.write_buffer_bytes),
      filter_bytes(options.filter_bytes),
      sync(options.sync) {}

Result<> SegmentEnv::start() {
  CONCERTO_CHECK(log_env.start());
  return directory_env.start();
}

// A log that is too large for LevelDB's table in memory would become a table nevertheless.
void SegmentEnv::resume_logs(std::uint64_t log_bytes) {
  resumes_logs = true;
  log_env.resume_logs();
  write_buffer_bytes = std::max<std::size_t>(write_buffer_bytes, 2 * log_bytes);
}

void SegmentEnv::leave_files(const Error& why) {
  leaves_files = true;
  log_env.leave_files(why);
  directory_env.leave_files(why);
}

std::string log_database(const std::string& segment) {
  return segment + "/log";
}
std::string directory_database(const std::string& segment) {
  return segment + "/directory";
}

std::string group_key(std::uint64_t group) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(group >> (56 - 8 * i));
  return key;
}

Segment::Segment(SegmentEnv& env, std::string path, const SegmentState& state)
    : env_(env),
      path_(std::move(path)),
      number_(state.number),
      first_group_(state.first_group),
      first_sequence_(state.first_sequence),
      sealed_(state.sealed),
      filter_(env.filter_bytes) {}

Segment::~Segment() {
  log_.reset();
  directory_.reset();
  if (!dropped_ || env_.leaves_files) return;
  ignore_error(remove_segment(env_.disk, path_), "the next start removes what is left");
}

Result<std::shared_ptr<Segment>> Segment::create(SegmentEnv& env, const std::string& path,
                                                 const SegmentState& state) {
  CONCERTO_CHECK(env.files.create_dir(path));
  CONCERTO_CHECK(env.disk.sync_dir(parent_dir(path)));
  std::shared_ptr<Segment> segment(new Segment(env, path, state));
  CONCERTO_CHECK(segment->open_log(true));
  CONCERTO_CHECK(segment->open_directory(true));
  CONCERTO_CHECK(env.disk.sync_dir(path));
  return segment;
}

Result<std::shared_ptr<Segment>> Segment::open(SegmentEnv& env, const std::string& path,
                                               const SegmentState& state) {
  CONCERTO_CHECK(check_current(log_database(path)));
  std::shared_ptr<Segment> segment(new Segment(env, path, state));
  CONCERTO_CHECK(segment->open_log(false));
  Result<> sound = check_current(directory_database(path));
  if (sound) sound = check_directory_logs(env.files, directory_database(path));
  if (sound) sound = segment->open_directory(false);
  if (sound) sound = segment->load_filter();
  if (sound) return segment;
  // If the system does not let us read a directory now, the directory may be sound.
  if (sound.error().code != EngineErrc::store_damaged) return std::move(sound).error();
  segment->directory_lost_ = true;
  return segment;
}

Result<> Segment::open_log(bool create) {
  leveldb::Options options;
  options.create_if_missing = create;
  options.error_if_exists = create;
  options.paranoid_checks = true;
  options.env = &env_.log_env;
  options.info_log = env_.silence.get();
  options.block_cache = env_.cache.get();
  options.write_buffer_size = env_.write_buffer_bytes;
  options.max_file_size = table_bytes_max;
  options.max_open_files = open_files_max;
  options.compression = leveldb::kNoCompression;
  // LevelDB then continues its log, so that opening writes nothing.
  options.reuse_logs = !create && (sealed_ || env_.resumes_logs);
  leveldb::DB* database = nullptr;
  const std::string path = log_database(path_);
  const leveldb::Status status = leveldb::DB::Open(options, path, &database);
  if (!status.ok()) return not_opened(path, status);
  log_.reset(database);
  return ok();
}

Result<> Segment::open_directory(bool create) {
  leveldb::Options options;
  options.create_if_missing = create;
  options.error_if_exists = create;
  options.paranoid_checks = true;
  options.env = &env_.directory_env;
  options.info_log = env_.silence.get();
  options.block_cache = env_.cache.get();
  options.write_buffer_size = directory_buffer_bytes;
  options.max_open_files = open_files_max;
  options.compression = leveldb::kNoCompression;
  options.reuse_logs = true;
  leveldb::DB* database = nullptr;
  const std::string path = directory_database(path_);
  const leveldb::Status status = leveldb::DB::Open(options, path, &database);
  if (!status.ok()) return not_opened(path, status);
  directory_.reset(database);
  return ok();
}

Result<> Segment::append(std::uint64_t group, std::string_view value) {
  leveldb::WriteOptions options;
  options.sync = env_.sync;
  const std::string key = group_key(group);
  const leveldb::Status status = log_->Put(options, key, slice(value));
  if (status.ok()) return ok();
  return make_error(EngineErrc::store_failed,
                    "group " + std::to_string(group) + " was not written: " + status.ToString());
}

Result<std::string> Segment::read(std::uint64_t group) const {
  std::string value;
  const leveldb::Status status = log_->Get(checked_read(), group_key(group), &value);
  if (status.ok()) return value;
  if (status.IsIOError()) return not_read(log_database(path_), status);
  return damaged(log_database(path_),
                 "group " + std::to_string(group) +
                     (status.IsNotFound() ? " is missing" : ": " + status.ToString()));
}

Result<> Segment::read_groups(std::uint64_t first, std::uint64_t last, const UseGroup& use) const {
  return persist::read_groups(*log_, log_database(path_), first, last, use);
}

Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> Segment::range() const {
  using Range = std::optional<std::pair<std::uint64_t, std::uint64_t>>;
  const std::unique_ptr<leveldb::Iterator> at(log_->NewIterator(checked_scan()));
  Range range;
  at->SeekToFirst();
  if (at->Valid()) {
    const std::uint64_t first = number_of(view(at->key()));
    at->SeekToLast();
    if (at->Valid()) range.emplace(first, number_of(view(at->key())));
  }
  if (!at->status().ok()) return not_read(log_database(path_), at->status());
  return range;
}

Result<std::optional<FinishedPlaces>> Segment::find_finished(const Fingerprint& fingerprint) const {
  std::string value;
  const leveldb::Status status = directory_->Get(checked_read(), finished_key(fingerprint), &value);
  if (status.IsNotFound()) return std::optional<FinishedPlaces>{};
  if (!status.ok()) return not_read(directory_database(path_), status);
  const auto places = decode_places(value);
  if (!places) return damaged(directory_database(path_), "an entry is malformed");
  return places;
}

Result<> Segment::write_finished(const std::vector<FinishedEntry>& entries) {
  leveldb::WriteBatch batch;
  for (const auto& [fingerprint, places] : entries) {
    batch.Put(finished_key(fingerprint), encode_places(places));
    if (sealed_) batch.Put(tag_late + to_bytes(fingerprint), "");
    if (places.sequence < first_sequence_) {
      batch.Put(tag_moved + group_key(places.sequence), to_bytes(fingerprint));
    }
  }
  leveldb::WriteOptions options;
  options.sync = env_.sync;
  const leveldb::Status status = directory_->Write(options, &batch);
  if (status.ok()) return ok();
  return make_error(EngineErrc::store_failed, "the directory '" + directory_database(path_) +
                                                  "' was not written: " + status.ToString());
}

Result<> Segment::seal(const std::string& encoded_filter) {
  leveldb::WriteOptions options;
  options.sync = env_.sync;
  const leveldb::Status status =
      directory_->Put(options, std::string(1, tag_filter), encoded_filter);
  if (!status.ok()) {
    return make_error(EngineErrc::store_failed,
                      "the filter of '" + path_ + "' was not written: " + status.ToString());
  }
  write_tables(*log_);
  write_tables(*directory_);
  sealed_ = true;
  return ok();
}

// CompactRange reports no error, but a later write does.
Result<> Segment::flush_log() {
  write_tables(*log_);
  const leveldb::Status status = log_->Write(leveldb::WriteOptions(), nullptr);
  if (status.ok()) return ok();
  return make_error(EngineErrc::store_failed, "the tables of '" + log_database(path_) +
                                                  "' were not written: " + status.ToString());
}

Result<std::vector<FinishedEntry>> Segment::moved_entries() const {
  std::vector<FinishedEntry> moved;
  const std::unique_ptr<leveldb::Iterator> at(directory_->NewIterator(checked_scan()));
  for (at->Seek(std::string(1, tag_moved)); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (key.front() != tag_moved || key.size() != 9 || at->value().size() != 16) break;
    Fingerprint fingerprint;
    fingerprint.high = number_of(view(at->value()).substr(0, 8));
    fingerprint.low = number_of(view(at->value()).substr(8));
    CONCERTO_TRY(const auto places, find_finished(fingerprint));
    if (places) moved.emplace_back(fingerprint, *places);
  }
  if (!at->status().ok()) return not_read(directory_database(path_), at->status());
  return moved;
}

/// Reads the stored filter and adds what came later, or makes a filter of the directory's entries.
Result<> Segment::load_filter() {
  std::string stored;
  const std::string key(1, tag_filter);
  const bool found =
      sealed_ && directory_->Get(checked_read(), key, &stored).ok() && filter_.decode(stored);
  if (!found) filter_ = GidFilter(env_.filter_bytes);
  const char tag = found ? tag_late : tag_finished;
  const std::unique_ptr<leveldb::Iterator> at(directory_->NewIterator(checked_scan()));
  for (at->Seek(std::string(1, tag)); at->Valid(); at->Next()) {
    const std::string_view entry = view(at->key());
    if (entry.front() != tag) break;
    if (entry.size() != 17) return damaged(directory_database(path_), "a key is malformed");
    filter_.insert({number_of(entry.substr(1, 8)), number_of(entry.substr(9))});
  }
  if (!at->status().ok()) return not_read(directory_database(path_), at->status());
  return ok();
}

Result<> Segment::forget_finished() {
  directory_.reset();
  CONCERTO_CHECK(remove_database(env_.disk, directory_database(path_)));
  filter_ = GidFilter(env_.filter_bytes);
  return open_directory(true);
}

std::uint64_t Segment::bytes_on_disk() const {
  std::uint64_t bytes = 0;
  for (const std::string& part : {log_database(path_), directory_database(path_)}) {
    // LevelDB may remove a file meanwhile. A file that cannot be looked at counts as empty.
    std::error_code error;
    std::filesystem::directory_iterator at(part, error);
    for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error)) {
      std::error_code gone;
      const std::uint64_t size = at->file_size(gone);
      if (!gone) bytes += size;
    }
  }
  return bytes;
}

}  // namespace concerto::persist
