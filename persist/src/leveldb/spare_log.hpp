#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <concerto/base/mutex.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// One file of zeros that waits to become the next log, mostly a log that is not needed any more.
/// Its blocks belong to it already: a sync after a write inside it changes nothing of the file
/// system's, and neither new blocks nor a removal hold up other syncs. Thread-safe.
class SpareLog {
 public:
  /// `path`: where the file waits, in the file system of the logs. Empty: none is ever kept.
  /// `step_bytes`: sizes are whole steps.
  SpareLog(Disk& disk, std::string path, std::size_t step_bytes)
      : disk_(disk), path_(std::move(path)), step_bytes_(step_bytes) {}

  /// Takes over a log for `zero_piece`; false when there is a spare one already, or the log is too
  /// long. Nothing may refer to the log any more, durably: after a power loss it can be there again
  /// under its old name, with zeros in it.
  Result<bool> keep(const std::string& log);
  /// Asks `zero_piece` for a new file of about so many bytes; false when there is one already.
  bool want(std::uint64_t bytes);
  /// Zeroes another piece of what was kept or wanted, small enough not to hold up other syncs for
  /// long; false when nothing is left to do. On one thread. After an error it holds no file open.
  Result<bool> zero_piece();
  /// Gives the file the name `log` and returns its size, all of it zeros; 0 when none is ready.
  /// The caller syncs the directory.
  Result<std::uint64_t> use_as(const std::string& log);
  /// Removes a file that an earlier process left, unless it was taken for a new one meanwhile.
  Result<> remove_old();
  /// Removes what was kept, wanted or is ready, or an old file, because its room is needed; false
  /// when there is none. Later another one may be kept or wanted.
  Result<bool> give_up();
  /// Removes what was kept, wanted or is ready, and makes none any more.
  Result<> drop();

 private:
  enum class State {
    none,
    wanted,    ///< to be made and zeroed
    kept,      ///< to be zeroed
    ready,     ///< all zeros
    given_up,  ///< removed; the thread that zeroes may still have it open
    dropped,   ///< removed for good
  };

  Result<std::unique_ptr<DiskFile>> open_file();
  Result<bool> zero_next();
  Result<> remove_file();
  std::uint64_t rounded(std::uint64_t bytes) const noexcept;

  Disk& disk_;
  const std::string path_;
  const std::uint64_t step_bytes_;
  Mutex mutex_;
  State state_ CONCERTO_GUARDED_BY(mutex_) = State::none;
  std::uint64_t size_ CONCERTO_GUARDED_BY(mutex_) = 0;

  // Of the thread that zeroes:
  std::unique_ptr<DiskFile> file_;
  std::uint64_t zeroed_ = 0;
  std::uint64_t file_bytes_ = 0;  ///< how long the file is to be
};

/// Where a store keeps its spare log.
std::string spare_log_path(const std::string& store);

}  // namespace concerto::persist
