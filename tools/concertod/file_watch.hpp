#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace concerto::tools {

/// Tells two states of a file apart without reading it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = -1;  ///< -1: there is no such file
  std::int64_t changed_nanoseconds = 0;

  bool operator==(const FileStamp&) const = default;
};

using FileStamps = std::vector<FileStamp>;

/// Symbolic links are followed, so a link that is changed counts as another file.
FileStamps stamps_of(const std::vector<std::string>& files);

/// Decides when files that change have to be read again: once two looks in a row have found the
/// same state, because several files are rarely replaced at one moment.
class FileWatch {
 public:
  /// `read` is the state in which the files were read.
  explicit FileWatch(FileStamps read = {}) : read_(read), last_(std::move(read)) {}

  /// True if the files have to be read now. They then count as read, unless `failed` is called.
  bool look(FileStamps now);
  /// The files could not be used. `look` asks for them again later even if they do not change: a
  /// file may have been unreadable for a moment.
  void failed() noexcept { looks_until_retry_ = looks_between_retries; }

 private:
  static constexpr int looks_between_retries = 10;

  FileStamps read_;
  FileStamps last_;
  int looks_until_retry_ = 0;  ///< 0: no retry
};

}  // namespace concerto::tools
