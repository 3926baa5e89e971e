#pragma once

#include <optional>
#include <vector>

#include <concerto/base/mutex.hpp>

#include "store_core.hpp"

namespace concerto::persist {

/// The result of a read from memory.
struct QuickLoad {
  bool done = false;
  std::optional<Transaction> trans;
};

/// The reads of the store. `load_quickly` never touches the disk; the others block and belong on a
/// worker thread. Thread-safe.
class StoreReader {
 public:
  explicit StoreReader(StoreCore& core) : core_(core) {}

  Result<QuickLoad> load_quickly(const Gid& gid) const;
  Result<std::optional<Transaction>> load(const Gid& gid) const;
  Result<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit);
  /// `groups` keeps the groups that were read, for the next load.
  Result<std::optional<Transaction>> load(const Fingerprint& gid, GroupReader& groups) const;

 private:
  StoreCore& core_;
  Mutex scan_mutex_;
  /// The unfinished transactions with which the scan goes on.
  std::vector<Ledger::UnfinishedRef> scan_ CONCERTO_GUARDED_BY(scan_mutex_);
  /// The last sequence when the scan began.
  std::uint64_t scan_end_ CONCERTO_GUARDED_BY(scan_mutex_) = 0;
};

}  // namespace concerto::persist
