#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::persist {

class Disk;

/// How far a long piece of work is, in groups of the store's log. Called now and then by the thread
/// that works. False ends the work with the error `shutting_down`.
using WorkProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// A backup that is to be made of an embedded store. See docs/storage-format.md.
struct BackupRequest {
  std::string directory;  ///< holds the backups, outside the store; created if absent
  std::string name;       ///< of the new backup, which is a directory in `directory`
  /// The name of an earlier backup in `directory`. The new one then holds only what came later.
  /// Empty: the new one holds everything.
  std::string base;
  /// Reads the base, and those that it builds on, before anything is copied: damage is the error
  /// store_damaged. Otherwise only manifests and the sizes of files are looked at, and damage is
  /// noticed by verify_backup and restore_backup alone.
  bool verify_base = false;
  WorkProgress progress;  ///< may be empty; called with zeros while the base is read
  Disk* disk = nullptr;   ///< for tests: how files are written; null: by the operating system
};

/// What a backup holds.
struct BackupReport {
  std::string name;
  std::string base;  ///< empty: the backup holds everything
  WallTime created{};
  std::uint64_t first_group = 0;  ///< of the store's log; 0: the backup holds no group
  std::uint64_t last_group = 0;   ///< the last one that the store had when the backup began
  std::uint64_t bytes = 0;        ///< of the backup's files
};

/// What a check has looked at, or a restore has written.
struct CheckReport {
  std::uint64_t segments = 0;
  std::uint64_t groups = 0;
  std::uint64_t bytes = 0;  ///< of the groups
  std::uint64_t records = 0;
  std::uint64_t begun = 0;     ///< records of new transactions
  std::uint64_t finished = 0;  ///< records with which transactions end
  std::uint64_t last_group = 0;
  std::vector<std::string> notes;  ///< what is worth a word and is no damage
};

/// A name in the directory of backups: letters, digits, dashes, underscores and dots, not a dot at
/// the beginning, no ".partial" at the end. `key` names the value in the error, which is
/// invalid_request.
[[nodiscard]] CONCERTO_EXPORT Result<> check_backup_name(std::string_view key,
                                                         const std::string& name);

/// Makes a backup of a store that no process has open. Changes nothing in the store. LevelDbStore
/// has a function for a store that is open. Errors: store_unavailable (in use; not a store; the
/// name is taken; the base does not fit), store_damaged, store_failed (the disk refuses),
/// invalid_request (a name), shutting_down.
[[nodiscard]] CONCERTO_EXPORT Result<BackupReport> backup_closed_store(const std::string& store,
                                                                       const BackupRequest& request,
                                                                       const Clock& clock);

/// Makes a store of a backup and of those that it builds on. `store` is absent, empty, or holds
/// what an interrupted restore has left. The whole backup is checked before anything is written,
/// and the store is read again before it becomes one. Errors as above.
[[nodiscard]] CONCERTO_EXPORT Result<CheckReport> restore_backup(const std::string& backup,
                                                                 const std::string& store,
                                                                 const WorkProgress& progress = {},
                                                                 Disk* disk = nullptr);

/// Reads all of a store that no process has open and checks it. Changes nothing. Errors as above.
[[nodiscard]] CONCERTO_EXPORT Result<CheckReport> verify_store(const std::string& store,
                                                               const WorkProgress& progress = {});

/// Reads all of a backup, and of those that it builds on, and checks it. Errors as above.
[[nodiscard]] CONCERTO_EXPORT Result<CheckReport> verify_backup(const std::string& backup,
                                                                const WorkProgress& progress = {});

/// Whether the directory holds a complete backup, by its manifest. Errors: store_failed.
[[nodiscard]] CONCERTO_EXPORT Result<bool> is_backup(const std::string& path);

/// The complete backups in a directory, the oldest first. What is damaged is left out. Errors:
/// store_failed.
[[nodiscard]] CONCERTO_EXPORT Result<std::vector<BackupReport>> list_backups(
    const std::string& directory);

}  // namespace concerto::persist
