#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <concerto/engine/observer.hpp>
#include <concerto/persist/managed_store.hpp>
#include <concerto/persist/store_probe.hpp>

namespace concerto::persist {

class Disk;
class StoreCore;

/// How a LevelDbStore works. The defaults serve a server with a disk of its own.
struct LevelDbOptions {
  std::string path;  ///< directory of the store; made when absent, used when empty

  StoreRetention retention;  ///< a whole segment goes at a time, once everything in it may

  /// A new segment is begun after so many bytes of log, or with the first group after this time.
  std::uint64_t segment_bytes = std::uint64_t{256} << 20;
  std::chrono::seconds segment_age{std::chrono::hours{6}};

  /// The set of unfinished transactions is written after so many bytes of log, or several times
  /// what it takes itself, if that is more: a restart reads it and what follows.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;
  /// Bytes of log before that whose checksums a start verifies; older ones are verified when read.
  std::uint64_t verify_bytes = std::uint64_t{256} << 20;

  /// New transactions are refused (overloaded) while more waits for the disk.
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  std::size_t queue_changes_max = 65536;

  std::size_t recent_bytes_max = std::size_t{16} << 20;    ///< newest log kept in memory for reads
  std::size_t write_buffer_bytes = std::size_t{16} << 20;  ///< LevelDB's table in memory
  std::size_t zero_step_bytes = std::size_t{1} << 20;      ///< log space zeroed ahead; 0: none
  std::size_t filter_bytes = std::size_t{1} << 20;         ///< filter of finished gids, per segment
  std::size_t reader_threads = 2;

  /// Bytes that are held back on the disk, in a file: a store on a full disk can then be opened and
  /// can end what is unfinished; less on a small disk. New transactions need as much room beside
  /// them. 0: neither.
  std::uint64_t reserve_bytes = std::uint64_t{64} << 20;
  /// With less room on the disk the log and `low_on_room` warn.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20;

  /// A write that finds no room, not even in the reserve, waits until there is some, before a byte
  /// of the log is written; else it fails the store.
  bool waits_for_room = true;

  bool sync = true;      ///< false only in benchmarks: nothing is durable then
  Disk* disk = nullptr;  ///< how files are written; null: as the operating system does. For tests
};

/// The embedded store: an ordered log in LevelDB with group commit (docs/storage-format.md).
///
/// Thread-safe. One process has it at a time. After any failed write, or when its directory was
/// removed or replaced, the store takes no more writes: waiting commits get store_failed, later
/// ones store_unavailable, until it is closed and opened again; reads go on. The executors of
/// waiting coroutines must outlive `close`.
class LevelDbStore final : public ManagedStore {
 public:
  /// Opens or creates. The clock and the observer, which hears what is dropped, repaired or
  /// fails, must outlive the store.
  /// Errors: store_unavailable (another process has it; the directory is not one of a store and
  /// not empty), store_damaged (something is missing or fails its checks), not_supported (a newer
  /// format), store_failed (the disk refuses), overloaded (the system starts no thread).
  [[nodiscard]] static Result<std::unique_ptr<LevelDbStore>> open(LevelDbOptions options,
                                                                  const Clock& clock,
                                                                  Observer& observer);
  /// Closes.
  ~LevelDbStore() override;

  /// Writes what is queued, leaves the mark of a clean stop and lets go of the files. Later calls
  /// get store_unavailable. Call it once, with no other call going on.
  void close() override;

  /// Removes a closed store's own files; an absent or empty directory is fine. Errors:
  /// store_unavailable (in use, or not a store's directory), store_damaged, store_failed.
  [[nodiscard]] static Result<> remove(const std::string& path);

  /// How many descriptors a store with these options has open at most: what is left of the
  /// process's limit is for connections. If they take more all the same, the store waits.
  static std::size_t descriptors_max(const LevelDbOptions& options) noexcept;
  /// Whether a write or a read waits, now, for somebody to close a file.
  bool waits_for_descriptor() const noexcept;

  /// Whether a write waits, now, for somebody to make room on the disk.
  bool waits_for_room() const noexcept;

  /// Bytes that the disk has for the store; the largest number when it does not tell.
  std::uint64_t free_bytes() const noexcept;
  /// Less than LevelDbOptions::free_bytes_min is free.
  bool low_on_room() const noexcept;
  /// So little is free that new transactions are refused (overloaded).
  bool out_of_room() const noexcept;

  const StoreProbe& probe() const noexcept;
  std::size_t unfinished_count() const;  ///< unfinished transactions
  std::size_t unfinished_bytes() const;  ///< memory of their table
  bool failed() const noexcept;          ///< a write has failed

  /// From now on; applied by the next maintenance.
  void set_retention(const StoreRetention& retention) override;

  /// A write that finds no room fails the store from now on.
  void begin_stop() noexcept override;

  /// Checkpoint, segments and retention, which otherwise happen by size and time. Blocks.
  [[nodiscard]] Result<> maintain() override;

  Async<> commit(Change change) override;
  Async<std::optional<Transaction>> load(Gid gid) override;
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override;
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override;
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override;
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override;
  Async<> create_kv(KvRecord record) override;
  Async<> update_kv(KvRecord record) override;
  Async<> delete_kv(std::string cat, std::string key) override;
  StoreHealth health() const override;
  StoreNumbers numbers() const override;

 private:
  class Impl;

  explicit LevelDbStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::persist
