#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <concerto/base/mutex.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// A file of zeros that waits to become the next log; usually it is a log that is no longer needed.
/// Its blocks are allocated already, so a sync after a write inside it changes no data of the file
/// system, and neither new blocks nor a removal hold up other syncs. Thread-safe.
class SpareLog {
 public:
  /// `path`: where the file waits, in the file system of the logs; empty: no file is ever kept.
  /// `step_bytes`: sizes are multiples of it.
  SpareLog(Disk& disk, std::string path, std::size_t step_bytes)
      : disk_(disk), path_(std::move(path)), step_bytes_(step_bytes) {}

  /// Takes over a log, to be zeroed by `zero_piece`. False if there is a spare log already, or if
  /// the log is too long. Nothing durable may refer to the log any more: after a power loss it can
  /// be there again under its old name, with zeros in it.
  Result<bool> keep(const std::string& log);
  /// Asks `zero_piece` for a new file of about so many bytes. False if there is one already.
  bool want(std::uint64_t bytes);
  /// Zeroes another piece of a kept or wanted file. A piece is small enough not to hold up other
  /// syncs for long. False if nothing is left to do. On one thread. After an error no file is open.
  Result<bool> zero_piece();
  /// Gives the file the name `log` and returns its size; all of it is zeros. 0: no file is ready.
  /// The caller syncs the directory.
  Result<std::uint64_t> use_as(const std::string& log);
  /// Removes the file of an earlier process, unless it has become a file of this one meanwhile.
  Result<> remove_old();
  /// Removes the file, whoever made it, because its room is needed. False if there is none. Another
  /// file may be kept or wanted later.
  Result<bool> give_up();
  /// Removes the file, and makes no other one.
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

  // Used only by the thread that zeroes:
  std::unique_ptr<DiskFile> file_;
  std::uint64_t zeroed_ = 0;
  std::uint64_t file_bytes_ = 0;  ///< the size that the file is to have
};

/// Where a store keeps its spare log.
std::string spare_log_path(const std::string& store);

}  // namespace concerto::persist
