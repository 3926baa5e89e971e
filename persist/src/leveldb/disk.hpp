#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

/// A file that is being written, by one thread at a time. Errors are store_failed, with a text that
/// names the file and the reason.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  /// Writes all of `data` at `offset`, which may lie inside or at the end of the file.
  virtual Result<> write(std::uint64_t offset, std::string_view data) = 0;
  /// Returns when everything written and the file's size survive power loss.
  virtual Result<> sync() = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
};

/// All changes that the store makes on the disk go through this class, so that tests can make them
/// fail, tear them or forget them. Thread-safe.
class Disk {
 public:
  virtual ~Disk() = default;
  /// Creates an empty file; an existing file of this name is emptied.
  virtual Result<std::unique_ptr<DiskFile>> create(const std::string& path) = 0;
  /// Opens an existing file, to change it in place.
  virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;
  virtual Result<> create_dir(const std::string& path) = 0;
  virtual Result<> remove_dir(const std::string& path) = 0;
  /// Bytes that this user may still write in the file system of the directory.
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  /// Makes creations, renames and removals in a directory survive power loss.
  virtual Result<> sync_dir(const std::string& path) = 0;
};

/// A part of the text of every error for lack of space. LevelDB passes on nothing but the text.
inline constexpr std::string_view disk_full_text = "the disk is full";
/// Whether an error's text names ENOSPC or EDQUOT, so that more room would help.
bool lacks_space(std::string_view text);

/// The error of the system call that has just failed, by `errno`: store_failed, or the error of
/// `no_descriptor`. `what` says what was not done.
Error system_failure(const char* what, const std::string& path);

/// The operating system's files.
Disk& posix_disk();

/// Replaces a small file. The file has either the old or the new content, also after power loss.
Result<> replace_file(Disk& disk, const std::string& path, std::string_view content);

/// The whole content of a file.
Result<std::string> read_file(const std::string& path);

/// The directory part of a path.
std::string parent_dir(const std::string& path);

}  // namespace concerto::persist
