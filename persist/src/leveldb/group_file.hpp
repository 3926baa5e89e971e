#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backup_manifest.hpp"
#include "disk.hpp"

namespace concerto::persist {

/// Uses a group of the store's log. An error ends the reading.
using UseGroup = std::function<Result<>(std::uint64_t group, std::string_view value)>;

// A file of a backup, with groups that follow each other:
//
//   file  := "concerto-groups 1\n" entry+
//   entry := group:u64 length:u32 checksum:u32 value:byte[length]
//   checksum := crc32c of group, length, value

/// The checksum of a group in a backup.
std::uint32_t group_checksum(std::uint64_t group, std::string_view value);

/// Writes such a file. Every few MiB are synced by themselves, because one large sync would delay
/// the syncs of a store on the same disk.
class GroupFileWriter {
 public:
  /// Errors: store_failed.
  static Result<GroupFileWriter> create(Disk& disk, const std::string& directory, std::string name);
  Result<> add(std::uint64_t group, std::string_view value);
  /// Makes the file durable, but for its name.
  Result<BackupManifest::File> end();

 private:
  Result<> write(std::string_view bytes);

  std::unique_ptr<DiskFile> file_;
  BackupManifest::File facts_;
  std::string buffer_;
  std::uint64_t unsynced_ = 0;
};

/// Reads a file of a backup from begin to end and checks all of it. Errors: store_damaged,
/// store_failed, and those of `use`.
Result<> read_group_file(const std::string& backup, const BackupManifest::File& expected,
                         const UseGroup& use);

}  // namespace concerto::persist
