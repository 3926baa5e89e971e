#pragma once

#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "group_check.hpp"
#include "group_file.hpp"

namespace concerto::persist {

/// A backup with all those that it builds on.
class BackupChain {
 public:
  /// Reads the manifests and IDENTITY, and checks that they belong together. Errors:
  /// store_unavailable, store_damaged, not_supported, store_failed.
  static Result<BackupChain> open(const std::string& backup);

  /// The manifest of the newest backup, which says what the store had.
  const BackupManifest& newest() const noexcept { return links_.front().manifest; }
  const std::string& identity_text() const noexcept { return identity_text_; }
  std::uint64_t first_group() const noexcept { return newest().segments.front().first_group; }
  /// Number of all groups that the store had.
  std::uint64_t group_count() const noexcept { return newest().last_group + 1 - first_group(); }

  /// Looks whether all files are there with their sizes, without reading them. Errors:
  /// store_unavailable, store_damaged.
  Result<> check_files() const;
  /// Reads all files, those that a restore does not need too, and hands to `use` the groups that
  /// the store had, in their order.
  Result<> read(const UseGroup& use) const;
  /// Reads and checks everything.
  Result<GroupCheck> check(const WorkProgress& progress) const;

 private:
  struct Link {
    std::string path;
    BackupManifest manifest;
  };

  std::vector<Link> links_;  ///< newest first
  std::string identity_text_;
};

/// Calls `progress` now and then. False as WorkProgress.
class ProgressMeter {
 public:
  ProgressMeter(const WorkProgress& progress, std::uint64_t total)
      : progress_(progress), total_(total) {}
  /// Errors: shutting_down.
  Result<> add(std::size_t bytes);

 private:
  const WorkProgress& progress_;
  const std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace concerto::persist
