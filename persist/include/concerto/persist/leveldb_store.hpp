#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <concerto/base/export.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/managed_store.hpp>
#include <concerto/persist/store_probe.hpp>

namespace concerto::persist {

class Disk;
class StoreCore;

/// Options of a LevelDbStore. The defaults are for a server with its own disk.
struct LevelDbOptions {
  std::string path;  ///< directory of the store; created if absent, may be empty

  StoreRetention retention;  ///< a segment is dropped as a whole, once all of it may be dropped

  /// A new segment begins after this many bytes of log, or with the first group after this time.
  std::uint64_t segment_bytes = std::uint64_t{256} << 20;
  std::chrono::seconds segment_age{std::chrono::hours{6}};

  /// The set of unfinished transactions is written after this many bytes of log, or after several
  /// times the size of the set, if that is more. A restart reads the set and the log behind it.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;
  /// Bytes of log before the set whose checksums a start verifies. Older log is verified when it is
  /// read.
  std::uint64_t verify_bytes = std::uint64_t{256} << 20;

  /// New transactions are refused (overloaded) while more than this waits for the disk.
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  std::size_t queue_changes_max = 65536;

  std::size_t recent_bytes_max = std::size_t{16} << 20;    ///< newest log, kept in memory for reads
  std::size_t write_buffer_bytes = std::size_t{16} << 20;  ///< LevelDB's table in memory
  std::size_t zero_step_bytes = std::size_t{1} << 20;      ///< log space zeroed ahead; 0: none
  std::size_t filter_bytes = std::size_t{1} << 20;         ///< filter of finished gids, per segment
  std::size_t reader_threads = 2;

  /// Bytes that a file holds back on the disk, so that a store on a full disk can be opened and can
  /// end unfinished transactions. On a small disk the file is smaller. New transactions need as
  /// much free room besides. 0: no file, and no such need.
  std::uint64_t reserve_bytes = std::uint64_t{64} << 20;
  /// With less free room on the disk, the log and `health` warn.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20;

  /// If true, a write that finds no room, not even in the reserve, waits for room before any byte
  /// of the log is written. If false, such a write fails the store.
  bool waits_for_room = true;

  bool sync = true;      ///< false only in benchmarks: then nothing is durable
  Disk* disk = nullptr;  ///< for tests: how files are written; null: by the operating system
};

/// The embedded store: an ordered log in LevelDB with group commit (docs/storage-format.md).
///
/// Thread-safe. Only one process at a time can have the store open. After any failed write, or when
/// its directory was removed or replaced, the store takes no more writes until it is closed and
/// opened again: waiting commits get store_failed, later commits get store_unavailable, and reads
/// go on. The executors of waiting coroutines must outlive `close`.
class CONCERTO_EXPORT LevelDbStore final : public ManagedStore {
 public:
  /// Opens or creates a store. The observer is told what is dropped, what is repaired and what
  /// fails, on the store's own threads: it must be thread-safe if anything else uses it, such as a
  /// coordinator. Clock and observer must outlive the store. Errors: store_unavailable (another
  /// process has the store open; the directory is neither empty nor a store's), store_damaged (data
  /// is missing or fails its checks), not_supported (a newer format), store_failed (the disk
  /// refuses), overloaded (the system starts no thread).
  [[nodiscard]] static Result<std::unique_ptr<LevelDbStore>> open(LevelDbOptions options,
                                                                  const Clock& clock,
                                                                  Observer& observer);
  /// Closes the store.
  ~LevelDbStore() override;

  /// Writes the queued changes, writes the mark of a clean stop and closes the files. Later calls
  /// get store_unavailable. Call it once, while no other call runs.
  void close() override;

  /// Removes the files of a closed store, and no others. The directory may be absent or empty.
  /// Errors: store_unavailable (in use, or not a store's directory), store_damaged, store_failed.
  [[nodiscard]] static Result<> remove(const std::string& path);

  /// How many descriptors a store with these options opens at most. The rest of the process's limit
  /// is for connections. If connections take more nevertheless, the store waits.
  static std::size_t descriptors_max(const LevelDbOptions& options) noexcept;

  const StoreProbe& probe() const noexcept;
  std::size_t unfinished_count() const;  ///< unfinished transactions
  std::size_t unfinished_bytes() const;  ///< memory of their table

  /// Replaces the retention. The next maintenance applies it.
  void set_retention(const StoreRetention& retention) override;

  /// From now on, a write that finds no room fails the store.
  void begin_stop(SteadyTime until) noexcept override;

  /// Does now the work on checkpoint, segments and retention that is otherwise done by size and
  /// time. Blocks.
  [[nodiscard]] Result<> maintain() override;

  /// Makes a backup while the store is used. It has every change that was acknowledged before the
  /// call. Blocks, for long: call it on a thread of its own, which gets a low priority and has
  /// ended before `close`. Errors: as backup_closed_store.
  [[nodiscard]] Result<BackupReport> backup(const BackupRequest& request) override;
  [[nodiscard]] Result<std::vector<BackupReport>> backups(const std::string& directory) override;

  Async<> commit(const Change& change) override;
  Async<std::optional<Transaction>> load(Gid gid) override;
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override;
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override;
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override;
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override;
  Async<> create_kv(KvRecord record) override;
  Async<> update_kv(KvRecord record) override;
  Async<> delete_kv(std::string cat, std::string key) override;
  StoreHealth health() const override;
  std::size_t queued_changes() const noexcept override;
  StoreNumbers numbers() const override;

 private:
  class Impl;

  explicit LevelDbStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::persist
