#include "leveldb/log_env.hpp"

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <future>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "passing_disk.hpp"
#include "store_files.hpp"

namespace concerto::persist {
namespace {

ino_t inode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

class SilentLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

/// A database that changes logs after 64 KiB.
class LogEnvTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.start());
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = &env_;
    options.info_log = &silence_;
    options.write_buffer_size = 64 << 10;
    leveldb::DB* database = nullptr;
    ASSERT_TRUE(leveldb::DB::Open(options, path_, &database).ok());
    database_.reset(database);
  }

  std::string log() const { return test::files_below(path_, ".log").back(); }

  /// Writes until LevelDB has begun another log.
  void fill_log() {
    const std::string before = log();
    leveldb::WriteOptions options;
    options.sync = true;
    for (; log() == before; ++keys_) {
      const std::string value(4000, static_cast<char>('a' + keys_ % 26));
      ASSERT_TRUE(database_->Put(options, std::to_string(keys_), value).ok());
    }
  }

  /// Returns when all background work that was begun before is done.
  void drain() {
    std::promise<void> done;
    env_.Schedule([](void* promise) { static_cast<std::promise<void>*>(promise)->set_value(); },
                  &done);
    done.get_future().wait();
  }

  /// Returns when there is a spare log. In the first round the table is written and its log is
  /// given up. That begins the zeroing, which for so few bytes is one piece, done in the second
  /// round.
  void wait_for_spare() {
    drain();
    drain();
  }

  test::TempDir dir_;
  const std::string path_ = dir_.path() + "/log";
  PatientDisk disk_{posix_disk()};
  LogEnv env_{disk_, LogEnv::Logs::synced, LogSpace{4096, spare_log_path(dir_.path()), 64 << 10}};
  SilentLogger silence_;
  std::unique_ptr<leveldb::DB> database_;
  int keys_ = 0;
};

TEST_F(LogEnvTest, UsesALogAgain) {
  fill_log();
  wait_for_spare();
  const ino_t first = inode_of(log());
  fill_log();
  wait_for_spare();
  EXPECT_EQ(inode_of(spare_log_path(dir_.path())), first);
  fill_log();
  EXPECT_EQ(inode_of(log()), first);
  for (int key = 0; key < keys_; ++key) {
    std::string value;
    ASSERT_TRUE(database_->Get({}, std::to_string(key), &value).ok());
    EXPECT_EQ(value, std::string(4000, static_cast<char>('a' + key % 26)));
  }
}

TEST_F(LogEnvTest, ALogUsedAgainEndsWhereItsRecordsEnd) {
  for (int i = 0; i < 4; ++i) {
    fill_log();
    wait_for_spare();
  }
  const std::string last = log();
  const auto open_size = std::filesystem::file_size(last);
  database_.reset();
  EXPECT_GE(open_size, std::size_t{64} << 10);
  EXPECT_LT(std::filesystem::file_size(last), std::size_t{16} << 10);
}

TEST_F(LogEnvTest, BackgroundWorkHasALowPriority) {
  int nice_level = 0;
  env_.Schedule([](void* level) { *static_cast<int*>(level) = ::getpriority(PRIO_PROCESS, 0); },
                &nice_level);
  drain();
  EXPECT_EQ(nice_level, std::min(::getpriority(PRIO_PROCESS, 0) + 10, 19));
}

/// While one thread syncs a directory, another thread asks for a sync of the same directory.
class AskedTwice final : public test::PassingDisk {
 public:
  Result<> sync_dir(const std::string& path) override {
    ++syncs;
    second = std::async(std::launch::async, [this, path] { return dirs->sync(path); });
    // If the second one did not wait, it would end within this time.
    second_waits = second.wait_for(std::chrono::milliseconds{50}) == std::future_status::timeout;
    return ok();
  }

  DirtyDirs* dirs = nullptr;
  std::future<Result<>> second;
  bool second_waits = false;
  int syncs = 0;
};

TEST(DirtyDirs, ASyncWaitsForTheOneThatIsUnderWay) {
  AskedTwice disk;
  DirtyDirs dirs(disk);
  disk.dirs = &dirs;
  dirs.add("a");
  EXPECT_TRUE(dirs.sync("a"));
  EXPECT_TRUE(disk.second.get());
  EXPECT_TRUE(disk.second_waits);
  EXPECT_EQ(disk.syncs, 1);
}

TEST(BackgroundThread, RunsAllJobsInOrder) {
  std::vector<int> done;
  {
    BackgroundThread thread;
    ASSERT_TRUE(thread.start());
    for (int i = 0; i < 100; ++i) thread.run([&done, i] { done.push_back(i); });
  }
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(BackgroundPace, PausesLongerThanTheWorkButNotForLong) {
  using namespace std::chrono_literals;
  const BackgroundPace pace;
  EXPECT_EQ(pace.pause_after(100us), 300us);
  EXPECT_EQ(pace.pause_after(1h), 4ms);
}

TEST(BackgroundPace, KeepsUpWithLogsThatFillFast) {
  using namespace std::chrono_literals;
  BackgroundPace pace;
  const std::chrono::steady_clock::time_point begin{1h};
  pace.log_begun(begin);
  pace.log_begun(begin + 100ms);
  EXPECT_EQ(pace.pause_after(1s), 500us);
  pace.log_begun(begin + 1h);
  EXPECT_EQ(pace.pause_after(1s), 4ms);
}

}  // namespace
}  // namespace concerto::persist
