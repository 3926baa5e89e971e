#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <leveldb/env.h>

#include <concerto/base/mutex.hpp>

namespace concerto::persist {

/// Lets LevelDB open a database and changes nothing on the disk: what LevelDB writes is kept in
/// memory, and what it removes is hidden from it. A log ends with its last whole group
/// (`read_log`), because LevelDB takes zeroed space behind an unfinished write for damage. The
/// caller has checked the logs with `scan_logs`. Thread-safe.
class ReadOnlyEnv final : public leveldb::EnvWrapper {
 public:
  enum class Logs { of_groups, plain };

  explicit ReadOnlyEnv(Logs logs) : EnvWrapper(leveldb::Env::Default()), logs_(logs) {}

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  bool FileExists(const std::string& path) override;
  leveldb::Status GetChildren(const std::string& path, std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status GetFileSize(const std::string& path, std::uint64_t* bytes) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;

 private:
  using Content = std::shared_ptr<std::string>;

  /// The content of a file in memory. Null if there is none.
  Content written(const std::string& path);

  const Logs logs_;
  Mutex mutex_;
  std::map<std::string, Content> files_ CONCERTO_GUARDED_BY(mutex_);
  std::set<std::string> hidden_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::persist
