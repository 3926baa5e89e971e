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
  /// Syncs the directory if it is one of them, or waits for the thread that is just syncing it:
  /// what was added before is durable when this returns.
  Result<> sync(const std::string& dir);

 private:
  Disk& disk_;
  Mutex mutex_;
  ConditionVariable synced_;
  std::set<std::string> dirs_ CONCERTO_GUARDED_BY(mutex_);
  std::set<std::string> syncing_ CONCERTO_GUARDED_BY(mutex_);
};

/// A file that LevelDB appends to. What is appended gathers for a while; a sync also makes the
/// file's name durable. Used by one thread at a time.
class AppendFile : public leveldb::WritableFile {
 public:
  /// What all files of an environment share; after a failure of any nothing more is written.
  struct Shared {
    DirtyDirs& dirty;
    FirstFailure& failure;
    const BackgroundPace& pace;
    SpaceReserve& space;
  };

  /// `size`: what the file holds.
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size, Shared shared);
  ~AppendFile() override;

  leveldb::Status Append(const leveldb::Slice& data) override;
  leveldb::Status Flush() override;
  leveldb::Status Sync() override;
  leveldb::Status Close() override;

 protected:
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size, Shared shared,
             std::size_t buffer_bytes_max);

  /// Before a write that ends at `end`.
  virtual Result<> make_room(std::uint64_t end);
  /// Writes at the end.
  virtual Result<> write(std::string_view data);
  /// After a write.
  virtual Result<> written();
  /// Before the file is closed.
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

/// A table, which counts once it is complete. It is synced piece by piece while it is written: all
/// of it at once would hold up the log's syncs for many milliseconds. What is held back of the disk
/// is used for whole tables alone.
class TableFile final : public AppendFile {
 public:
  /// `bytes_max`: about how large it may become. `file` fails at once where there is no room.
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

/// How a database's synced logs get their space.
struct LogSpace {
  std::size_t zero_step_bytes = 0;  ///< zeroed ahead at a time; 0: logs grow with each write
  std::string spare_path;           ///< where a log waits to be used again; empty: they are removed
  std::uint64_t log_bytes = 0;      ///< about how long a log becomes
};

/// A log whose every group is synced. Its space is zeroed ahead, so that a sync need not change
/// the file's size, and so that a group is only written where there is room for it: making room may
/// wait (see SpaceReserve), for nothing of the log has been written then.
class LogFile final : public AppendFile {
 public:
  /// A file of `zeroed` bytes, of which those behind `size` are zeros. `file` fails at once where
  /// there is no room. `on_filling` is called, perhaps more than once, when a quarter of
  /// `space.log_bytes` is taken and space is still being zeroed here.
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
