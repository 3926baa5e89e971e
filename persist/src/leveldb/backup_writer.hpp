#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "group_file.hpp"

namespace concerto::persist {

class StoreCore;

/// What a backup is made of: the groups of a store's log up to `last_group`, and what a new store
/// needs besides. Everything else in a store is derived from these.
struct BackupSource {
  struct Part {
    SegmentState state;
    std::uint64_t last_group = 0;  ///< below `state.first_group` if the segment is empty
    std::function<Result<>(std::uint64_t first, std::uint64_t last, const UseGroup& use)> read;
  };

  std::string store;          ///< its directory
  std::string identity_text;  ///< the file IDENTITY
  FingerprintKey key{};
  std::vector<Part> parts;  ///< oldest first, never empty
  std::uint64_t last_group = 0;
  /// Called after pieces of work that took so long; may pause. May be empty.
  std::function<void(std::chrono::nanoseconds took)> give_way;
};

/// Writes the backup under a temporary name, and gives it its name when all of it is durable.
/// Errors: as backup_closed_store.
Result<BackupReport> write_backup(const BackupSource& source, const BackupRequest& request,
                                  const Clock& clock);

/// Makes a backup of an open store, on the calling thread. Commits go on meanwhile: the backup has
/// every change that was acknowledged before the call, and none of a group that began later.
Result<BackupReport> backup_open_store(StoreCore& core, const BackupRequest& request);

}  // namespace concerto::persist
