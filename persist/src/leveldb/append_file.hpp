#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <leveldb/env.h>

#include <concerto/base/mutex.hpp>

#include "background_thread.hpp"
#include "disk.hpp"
#include "first_failure.hpp"
#include "space_reserve.hpp"

namespace concerto::persist {

/// Directories in which a file was created or renamed since they were last synced. Thread-safe.
class DirtyDirs {
 public:
  explicit DirtyDirs(Disk& disk) : disk_(disk) {}
  void add(const std::string& dir);
  /// Syncs the directory if it is in the set, or waits for a thread that is syncing it. Entries
  /// that were added before the call are durable when it returns.
  Result<> sync(const std::string& dir);

 private:
  Disk& disk_;
  Mutex mutex_;
  ConditionVariable synced_;
  std::set<std::string> dirs_ CONCERTO_GUARDED_BY(mutex_);
  std::set<std::string> syncing_ CONCERTO_GUARDED_BY(mutex_);
};

/// A file that LevelDB appends to. Appended data stays in memory for a while; a sync writes it and
/// also makes the file's name durable. Used by one thread at a time.
class AppendFile : public leveldb::WritableFile {
 public:
  /// Shared by all files of an environment. After a failure of any of them nothing more is written.
  struct Shared {
    DirtyDirs& dirty;
    FirstFailure& failure;
    const BackgroundPace& pace;
    SpaceReserve& space;
  };

  /// `size`: bytes that the file holds already.
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size, Shared shared);
  ~AppendFile() override;

  leveldb::Status Append(const leveldb::Slice& data) override;
  leveldb::Status Flush() override;
  leveldb::Status Sync() override;
  leveldb::Status Close() override;

 protected:
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size, Shared shared,
             std::size_t buffer_bytes_max);

  /// Called before a write that ends at `end`.
  virtual Result<> make_room(std::uint64_t end);
  /// Writes at the end of the file.
  virtual Result<> write(std::string_view data);
  /// Called after a write.
  virtual Result<> written();
  /// Called before the file is closed.
  virtual Result<> finish();

  DiskFile& file() noexcept { return *file_; }
  const Shared& shared() const noexcept { return shared_; }
  std::uint64_t size() const noexcept { return size_; }

 private:
  leveldb::Status done(const Result<>& result);
  Result<> write_out();

  const std::string path_;
  std::unique_ptr<DiskFile> file_;
  std::uint64_t size_;
  const Shared shared_;
  const std::size_t buffer_bytes_max_;
  std::string buffer_;
};

/// A table of LevelDB. Nobody uses a table before it is complete. It is synced piece by piece while
/// it is written, because one sync of the whole table would hold up the log's syncs for many
/// milliseconds. The store gives up the room that it holds back only if the room is enough for the
/// whole table.
class TableFile final : public AppendFile {
 public:
  /// `bytes_max`: about how large the table may become. `file` must fail at once if there is no
  /// room.
  TableFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t bytes_max,
            Shared shared);
  leveldb::Status Flush() override { return leveldb::Status::OK(); }

 private:
  Result<> write(std::string_view data) override;
  Result<> written() override;

  const std::uint64_t bytes_max_;
  std::uint64_t synced_ = 0;
  std::chrono::steady_clock::time_point piece_begun_ = std::chrono::steady_clock::now();
};

/// How the synced logs of a database get their space.
struct LogSpace {
  std::size_t zero_step_bytes = 0;  ///< zeroed ahead at a time; 0: logs grow with each write
  std::string spare_path;           ///< where a log waits to be used again; empty: logs are removed
  std::uint64_t log_bytes = 0;      ///< about how long a log becomes
};

/// A log in which every group is synced. Its space is zeroed ahead, so that a sync need not change
/// the file's size and a group is written only if there is room for it. Making room may wait (see
/// SpaceReserve), because at that time nothing of the group has been written.
class LogFile final : public AppendFile {
 public:
  /// A file of `zeroed` bytes, with zeros from `size` on. `file` must fail at once if there is no
  /// room. `on_filling` is called, perhaps more than once, when a quarter of `space.log_bytes` is
  /// used and space is still being zeroed here.
  LogFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size,
          std::uint64_t zeroed, Shared shared, const LogSpace& space,
          std::function<void()> on_filling);
  ~LogFile() override;
  leveldb::Status Flush() override { return leveldb::Status::OK(); }

 private:
  Result<> make_room(std::uint64_t end) override;
  Result<> finish() override;
  Result<> zero_until(std::uint64_t end);

  std::uint64_t zeroed_;
  std::string zeros_;
  const LogSpace& space_;
  const std::function<void()> on_filling_;
};

}  // namespace concerto::persist
