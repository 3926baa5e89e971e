#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <concerto/persist/store_backup.hpp>

#include "store_files.hpp"

namespace concerto::persist {

inline constexpr std::uint32_t backup_format = 1;

/// The file MANIFEST.json of a backup (docs/storage-format.md).
struct BackupManifest {
  /// A file with groups of one segment.
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint32_t checksum = 0;  ///< crc32c of the whole file
    std::uint64_t first_group = 0;
    std::uint64_t last_group = 0;
  };

  std::uint32_t format = backup_format;
  std::uint32_t store_format = format_version;
  std::string store;  ///< stands for the store's secret
  WallTime created{};
  std::uint32_t identity_checksum = 0;  ///< crc32c of the file IDENTITY
  std::uint64_t first_group = 0;        ///< in this backup; 0: it has none
  std::uint64_t last_group = 0;
  std::uint32_t last_checksum = 0;  ///< `group_checksum` of the last group; 0: the store has none
  std::string base;                 ///< empty: a full backup
  std::uint32_t base_checksum = 0;  ///< crc32c of the base's manifest
  /// Of the store when the backup began. `sealed` is not kept.
  std::vector<SegmentState> segments;
  std::vector<File> files;

  BackupReport report(std::string name) const;
};

std::string encode(const BackupManifest& manifest);
/// Errors: store_damaged; not_supported for a newer format.
Result<BackupManifest> parse_manifest(const std::string& path, const std::string& content);

/// A manifest with the checksum of its bytes.
struct StoredManifest {
  BackupManifest manifest;
  std::uint32_t checksum = 0;
};
/// Errors: store_unavailable if the directory is no complete backup, and those of `parse_manifest`.
Result<StoredManifest> read_manifest(const std::string& backup);

std::string manifest_path(const std::string& backup);

/// Stands for a store in manifests. Equal only for a store and its copies; does not give the secret
/// away.
std::string store_mark(const FingerprintKey& key);

}  // namespace concerto::persist
