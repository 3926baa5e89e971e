#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include <leveldb/env.h>

#include <concerto/base/mutex.hpp>

#include "append_file.hpp"
#include "background_thread.hpp"
#include "patient_disk.hpp"
#include "roomy_disk.hpp"
#include "spare_log.hpp"

namespace concerto::persist {

/// Does what LevelDB does not do by itself when it writes files:
///  - A directory is synced after a file was created or renamed in it: with the next sync of any
///    file there, and before a file there is removed.
///  - A list of the database's log files is kept, because LevelDB does not notice when one is
///    missing.
///  - If every write to a database is synced, its log space is zeroed ahead in steps, so that a
///    sync need not change the file's size, and its next log is made from a log that is no longer
///    needed.
///  - LevelDB's background work runs on a thread of low priority, and tables are synced in pieces.
///
/// After a failure nothing is changed any more: LevelDB would tidy up after a rename that did
/// happen. An open that finds no descriptor is not a failure; it is tried again, and so is an
/// operation that finds no room before a byte of a log is written. All writing goes through a Disk.
/// Thread-safe, as an Env must be.
class LogEnv final : public leveldb::EnvWrapper {
 public:
  enum class Logs { synced, plain };

  LogEnv(PatientDisk& disk, Logs logs, LogSpace space);
  /// Call it before a database uses the environment. Errors: overloaded, if the system starts no
  /// thread.
  Result<> start() { return background_.start(); }
  /// No database may use the environment any more.
  ~LogEnv() override;

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  /// Hides files that do not have exactly a name of LevelDB's: LevelDB would remove `7.log`.
  leveldb::Status GetChildren(const std::string& path, std::vector<std::string>* names) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  void Schedule(void (*function)(void*), void* argument) override;

  /// From this call on no file is created, renamed or removed, not even at the end: the paths lead
  /// to something that is no longer this store's.
  void leave_files(const Error& why) {
    failure_.note(why);
    leaves_files_ = true;
  }

  /// Call it before a database is opened: LevelDB continues its newest log (`reuse_logs`), which
  /// must end with its last group.
  void resume_logs() noexcept { resumes_logs_ = true; }

  /// Removes a spare log of an earlier process.
  Result<> remove_old_spare() { return spare_.remove_old(); }
  /// Removes the spare log because its room is needed. False if there is none.
  Result<bool> give_up_spare() { return spare_.give_up(); }

  /// The pace of work in the background that writes other files.
  const BackgroundPace& pace() const noexcept { return pace_; }

 private:
  using NewFile = Result<std::unique_ptr<leveldb::WritableFile>>;

  static bool is_log(const std::string& path) noexcept { return path.ends_with(".log"); }
  bool is_synced_log(const std::string& path) const noexcept {
    return logs_ == Logs::synced && is_log(path);
  }
  template <class Open>
  leveldb::Status with_descriptor(Open open);
  AppendFile::Shared shared() noexcept { return {dirty_, failure_, pace_, disk_.space()}; }
  NewFile resume_log(const std::string& path, std::uint64_t size);
  std::unique_ptr<leveldb::WritableFile> log_file(const std::string& path,
                                                  std::unique_ptr<DiskFile> file,
                                                  std::uint64_t size, std::uint64_t zeroed);
  NewFile create_file(const std::string& path);
  NewFile create_log(const std::string& path);
  Result<> remove_log(const std::string& path);
  void make_spare();
  Result<> list_log(const std::string& path);
  Result<> note_log(const std::string& path, char sign);
  leveldb::Status done(const std::string& path, const Result<>& result);
  leveldb::Status refused(const std::string& path) const;

  PatientDisk& disk_;
  RoomyDisk files_;  ///< for all files but logs and tables
  const Logs logs_;
  const LogSpace space_;
  DirtyDirs dirty_;
  FirstFailure failure_;
  std::atomic<bool> leaves_files_ = false;
  bool resumes_logs_ = false;
  BackgroundPace pace_;
  SpareLog spare_;
  Mutex log_list_mutex_;  ///< logs are created by one thread and removed by another
  BackgroundThread background_;
};

/// The file that lists a database's logs: a line `+000005.log` when one was created, `-000005.log`
/// before it is removed.
std::string log_list_path(const std::string& database);

}  // namespace concerto::persist
