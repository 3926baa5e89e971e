#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

/// A file being written. One thread at a time. Errors are store_failed with a text that names the
/// file and the reason.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  /// Writes all of `data` at `offset`, which may lie inside or at the end of the file.
  virtual Result<> write(std::uint64_t offset, std::string_view data) = 0;
  /// Returns when everything written, and the size, survives power loss.
  virtual Result<> sync() = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
};

/// Everything that the store changes on disk goes through here, so that tests can fail, tear or
/// forget it. Thread-safe.
class Disk {
 public:
  virtual ~Disk() = default;
  /// A new, empty file; an old one with this name is emptied.
  virtual Result<std::unique_ptr<DiskFile>> create(const std::string& path) = 0;
  /// An existing file, to change it in place.
  virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;
  virtual Result<> create_dir(const std::string& path) = 0;
  virtual Result<> remove_dir(const std::string& path) = 0;
  /// Bytes that the file system of a directory still has for this user.
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  /// Makes creations, renames and removals in a directory survive power loss.
  virtual Result<> sync_dir(const std::string& path) = 0;
};

/// Stands in the text of each error for want of space. The text is all that LevelDB passes on.
inline constexpr std::string_view disk_full_text = "the disk is full";
/// Whether an error's text gives the reason ENOSPC or EDQUOT, which more room would mend.
bool lacks_space(std::string_view text);

/// The error of the system's call that has just failed, as `errno` tells it: store_failed, or that
/// of `no_descriptor`. `what` says what was not done.
Error system_failure(const char* what, const std::string& path);

/// The operating system's files.
Disk& posix_disk();

/// Writes a small file so that either the old or the new content is there, also after power loss.
Result<> replace_file(Disk& disk, const std::string& path, std::string_view content);

/// The whole content of a file.
Result<std::string> read_file(const std::string& path);

/// The directory part of a path.
std::string parent_dir(const std::string& path);

}  // namespace concerto::persist
