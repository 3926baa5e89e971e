#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/base/export.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/persist/store_backup.hpp>

namespace concerto::persist {

/// How long finished transactions are kept. Unfinished transactions stay for ever.
struct StoreRetention {
  std::chrono::seconds finished_expire{std::chrono::hours{24}};  ///< max(): SQL keeps them
  std::chrono::seconds failed_expire{std::chrono::hours{24}};    ///< of failed ones, if longer
  /// If the store is larger, the oldest transactions are dropped earlier.
  std::uint64_t finished_bytes_max = std::uint64_t{10} << 30;
};

/// A store with the functions for the process that opened it. The coordinator needs only the Store.
class CONCERTO_EXPORT ManagedStore : public Store {
 public:
  /// Replaces the retention. The store's next maintenance applies it. Any thread may call this.
  virtual void set_retention(const StoreRetention& retention) = 0;

  /// Does now the work that is otherwise done by size and time, above all retention. Blocks.
  [[nodiscard]] virtual Result<> maintain() = 0;

  /// Makes a backup while the store is used, if the store has its data in files of its own. Blocks,
  /// for long: call it on a thread of its own, which has ended before `close`. Errors:
  /// not_supported (the database has means of its own), and those of backup_closed_store.
  [[nodiscard]] virtual Result<BackupReport> backup(const BackupRequest& request);

  /// The complete backups of stores of this kind in a directory, the oldest first. Errors:
  /// store_failed.
  [[nodiscard]] virtual Result<std::vector<BackupReport>> backups(const std::string& directory);

  /// Who this coordinator is in the store (Owner::id); empty in a store that is not shared. Any
  /// thread may call this.
  virtual std::string node() const { return {}; }

  /// Call it when a stop has begun. From now on, a change that would wait for the system, for
  /// example for room on a disk, fails instead. A server that does not answer is waited for until
  /// `until`. Further requests and `close` may follow. Any thread may call this.
  virtual void begin_stop(SteadyTime /*until*/) noexcept {}

  /// Writes the queued changes and closes files and connections. Later changes get
  /// store_unavailable. Call it once, while no other call runs. The destructor closes the store
  /// too.
  virtual void close() = 0;
};

}  // namespace concerto::persist
