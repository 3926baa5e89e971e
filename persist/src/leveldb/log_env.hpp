#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include <leveldb/env.h>

#include "disk.hpp"

namespace concerto::persist {

/// Directories in which a file was created or renamed since they were last synced. Thread-safe.
class DirtyDirs {
 public:
  explicit DirtyDirs(Disk& disk) : disk_(disk) {}
  void add(const std::string& dir);
  /// Syncs the directory if it is one of them.
  Result<> sync(const std::string& dir);

 private:
  Disk& disk_;
  std::mutex mutex_;
  std::set<std::string> dirs_;
};

/// What LevelDB does not do by itself when it writes files: a directory is synced after a file was
/// created or renamed in it (with the next sync of any file there, and before one is removed), and
/// a database whose writes are synced one by one
///  - gets its log space zeroed ahead in steps, so that a sync need not change the file's size;
///  - keeps a list of its log files, because LevelDB does not notice when one is missing.
/// After a failure it changes nothing any more: LevelDB would tidy up after a rename that has in
/// fact happened. All writing goes through a Disk. Thread-safe as an Env must be.
class LogEnv final : public leveldb::EnvWrapper {
 public:
  enum class Logs { synced, plain };

  /// `zero_step_bytes` 0 lets logs grow with each write.
  LogEnv(Disk& disk, Logs logs, std::size_t zero_step_bytes);

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;

 private:
  Result<> note_log(const std::string& path, char sign);
  leveldb::Status done(const std::string& path, const Result<>& result);

  Disk& disk_;
  const Logs logs_;
  const std::size_t zero_step_bytes_;
  DirtyDirs dirty_;
  std::atomic<bool> failed_ = false;
};

/// The file that lists a database's logs: a line `+000005.log` when one was created, `-000005.log`
/// before it is removed.
std::string log_list_path(const std::string& database);

/// Whether a path ends as LevelDB's logs do.
bool is_log_path(const std::string& path) noexcept;

}  // namespace concerto::persist
