#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <leveldb/cache.h>
#include <leveldb/db.h>

#include <concerto/engine/transaction.hpp>
#include <concerto/persist/leveldb_store.hpp>

#include "gid_filter.hpp"
#include "group_file.hpp"
#include "log_env.hpp"
#include "log_scan.hpp"
#include "place.hpp"
#include "store_files.hpp"
#include "trans_index.hpp"

namespace concerto::persist {

/// Where a finished transaction is found.
struct FinishedPlaces {
  std::uint64_t sequence = 0;
  Place first;
  Place last;
  TransStatus status = TransStatus::succeed;

  friend bool operator==(const FinishedPlaces&, const FinishedPlaces&) = default;
};
using FinishedEntry = std::pair<Fingerprint, FinishedPlaces>;

/// What all segments of a store share. It must outlive them.
struct SegmentEnv {
  PatientDisk disk;
  RoomyDisk files;
  LogEnv log_env;
  LogEnv directory_env;
  std::unique_ptr<leveldb::Cache> cache;
  std::unique_ptr<leveldb::Logger> silence;
  std::size_t write_buffer_bytes;
  std::size_t filter_bytes;
  bool sync;
  std::atomic<bool> leaves_files = false;  ///< as in the two environments
  bool resumes_logs = false;               ///< see `resume_logs`

  SegmentEnv(Disk& used, const LevelDbOptions& options);
  /// Call it before a segment uses the object. Errors: overloaded.
  Result<> start();
  /// Call it before segments are opened if the disk has no room for tables: LevelDB continues the
  /// newest logs, of at most `log_bytes` each, instead of making tables of them.
  void resume_logs(std::uint64_t log_bytes);
  /// The paths lead to something else now: from this call on nothing is changed by its name.
  void leave_files(const Error& why);
};

/// A part of the log (a LevelDB database: group number to group), and the directory of the
/// transactions that began in it (another database: fingerprint to places). Both are in one
/// directory on disk.
///
/// One thread appends; another one writes directory entries and seals; reading is thread-safe.
/// Shared, because a reader may hold a segment that was just dropped.
class Segment {
 public:
  /// Creates the segment's directory on disk, with empty databases.
  static Result<std::shared_ptr<Segment>> create(SegmentEnv& env, const std::string& path,
                                                 const SegmentState& state);
  /// Says where a segment that was created ahead begins. Call it before others see the segment.
  void begin(const SegmentState& begun) noexcept {
    number_ = begun.number;
    first_group_ = begun.first_group;
    first_sequence_ = begun.first_sequence;
  }
  /// Opens an existing segment, whose logs were checked with `scan_logs`. If its directory is lost,
  /// call `forget_finished` before the directory is used.
  static Result<std::shared_ptr<Segment>> open(SegmentEnv& env, const std::string& path,
                                               const SegmentState& state);
  ~Segment();

  /// Errors: store_failed.
  Result<> append(std::uint64_t group, std::string_view value);
  /// Errors: store_damaged if the group is absent or does not pass its checks.
  Result<std::string> read(std::uint64_t group) const;
  /// Hands groups to `use`, in their order (see `read_groups`).
  Result<> read_groups(std::uint64_t first, std::uint64_t last, const UseGroup& use) const;
  /// First and last group; absent when empty. Errors: store_damaged.
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> range() const;

  Result<std::optional<FinishedPlaces>> find_finished(const Fingerprint& fingerprint) const;
  /// Writes directory entries, sorted by fingerprint, in one synced write.
  Result<> write_finished(const std::vector<FinishedEntry>& entries);
  /// Writes entries of the index of failed ones, in one synced write.
  Result<> write_failed(const std::vector<FailedEntry>& entries);
  struct FailedRefs {
    std::vector<IndexRef> refs;
    std::uint64_t unseen = 0;  ///< the newest sequence that was not looked at; 0: all were
  };
  /// The newest `limit` entries of the index of failed transactions that the filter may select,
  /// with a sequence below `before` and above `after`. Looks at no more than `looks` entries, and
  /// subtracts those from `looks`.
  Result<FailedRefs> failed_refs(const ListFilter& wanted, std::uint64_t before,
                                 std::uint64_t after, std::size_t limit, std::size_t& looks) const;
  /// The failed transactions of the directory that its index lacks. An earlier version of this
  /// program wrote no index. Some can be missing only if the state has a later failure,
  /// `newest_failure`, than the index has.
  Result<std::vector<FailedEntry>> unindexed_failures(WallTime newest_failure) const;
  /// Moves the log's newest groups and the filter into table files.
  Result<> seal(const std::string& encoded_filter);
  /// Moves all groups into table files, so that they are durable even if they were written without
  /// sync. Errors: store_failed.
  Result<> flush_log();
  /// Finished transactions whose submit record was moved to this segment, by sequence.
  Result<std::vector<FinishedEntry>> moved_entries() const;

  /// Empties the directory, so that it can be filled anew.
  Result<> forget_finished();
  /// Whether the directory was missing or damaged. Its remains stay until `forget_finished`.
  bool directory_lost() const noexcept { return directory_lost_; }

  /// From now on, destroying the segment removes its files.
  void drop() noexcept { dropped_ = true; }

  const std::string& path() const noexcept { return path_; }
  std::uint64_t number() const noexcept { return number_; }
  std::uint64_t first_group() const noexcept { return first_group_; }
  /// Transactions with a lower sequence began in an older segment and were moved to this one.
  std::uint64_t first_sequence() const noexcept { return first_sequence_; }
  /// Only on the thread that seals.
  bool is_sealed() const noexcept { return sealed_; }
  std::uint64_t bytes_on_disk() const;

  /// The filter of the transactions that are in the directory now. Call it once, and once more
  /// after `forget_finished`.
  GidFilter take_filter() { return std::exchange(filter_, GidFilter(0)); }

 private:
  Segment(SegmentEnv& env, std::string path, const SegmentState& state);

  Result<> open_log(bool create);
  Result<> open_directory(bool create);
  Result<> load_filter();
  Result<WallTime> indexed_until() const;

  SegmentEnv& env_;
  const std::string path_;
  std::uint64_t number_;
  std::uint64_t first_group_;
  std::uint64_t first_sequence_;
  bool sealed_;
  GidFilter filter_;
  std::unique_ptr<leveldb::DB> log_;
  std::unique_ptr<leveldb::DB> directory_;
  std::atomic<bool> dropped_ = false;
  bool directory_lost_ = false;
};

std::string log_database(const std::string& segment);
std::string directory_database(const std::string& segment);

/// 8 bytes, big-endian, so that keys sort as numbers do.
std::string group_key(std::uint64_t group);

}  // namespace concerto::persist
