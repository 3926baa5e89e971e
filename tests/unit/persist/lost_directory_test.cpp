// A store whose directory is removed, moved or replaced while it is open.

#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "leveldb/store_files.hpp"
#include "small_disk.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

class LostDirectory : public testing::Test {
 protected:
  std::unique_ptr<LevelDbStore> open(const std::string& path, persist::Disk* disk = nullptr) {
    auto options = small_options(path);
    options.segment_bytes = 100'000;
    options.disk = disk;
    auto opened = LevelDbStore::open(options, clock_, log_);
    EXPECT_TRUE(opened) << opened.error().detail;
    return std::move(opened).value();
  }

  /// More than half a segment.
  static Transaction large_saga(const std::string& gid, int second = 0) {
    Transaction saga = sample_saga(gid, second);
    saga.payloads[0] = std::string(60'000, 'x');
    return saga;
  }

  Result<> create_large(LevelDbStore& store, const std::string& gid) {
    const Transaction saga = large_saga(gid);
    return await_result(io_, store.commit(create(saga)));
  }

  /// Another store, closed, with a part of the log in its second segment.
  void make_other() {
    const auto store = open(other_);
    ASSERT_TRUE(of_other_.create(*store, large_saga("h"), Durability::durable));
    ASSERT_TRUE(of_other_.create(*store, large_saga("i", 1), Durability::durable));
  }

  /// The other store takes the place of this one. Returns what is in it.
  std::map<std::string, std::string> replace() {
    auto before = contents(other_);
    fs::rename(store_, moved_);
    fs::rename(other_, store_);
    return before;
  }

  /// The files without the spare log: until the store notices the change, its background work may
  /// create zeros under that name.
  static std::map<std::string, std::string> contents(const std::string& store) {
    std::map<std::string, std::string> found;
    for (const std::string& path : files_below(store, "")) {
      if (path != store + "/SPARE") found[path.substr(store.size())] = file_content(path);
    }
    return found;
  }

  /// The store accepts no more changes, and the log has said why, once.
  void expect_failed(LevelDbStore& store) {
    EXPECT_FALSE(store.maintain());
    EXPECT_TRUE(has_failed(store));
    const auto refused = await_result(io_, store.commit(create(sample_saga("late"))));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail.find('/'), std::string::npos) << refused.error().detail;
    EXPECT_FALSE(store.maintain());
    const std::string lines = log_.take();
    const std::string reason = "the store's directory was removed or replaced";
    const auto at = lines.find(reason);
    ASSERT_NE(at, std::string::npos) << lines;
    EXPECT_EQ(lines.find(reason, at + 1), std::string::npos) << lines;
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
  asio::io_context io_{1};
  const std::string store_ = dir_.path() + "/st";
  const std::string moved_ = dir_.path() + "/moved";
  const std::string other_ = dir_.path() + "/other";
  StoreHistory of_other_;
};

TEST_F(LostDirectory, RemovedEndsWritesAndIsNotMadeAgain) {
  auto store = open(store_);
  ASSERT_TRUE(history_.create(*store, sample_saga("g"), Durability::durable));
  ASSERT_TRUE(store->maintain());
  fs::rename(store_, moved_);  // at once, whatever is being written
  fs::remove_all(moved_);
  expect_failed(*store);
  store.reset();
  EXPECT_FALSE(fs::exists(store_));
}

TEST_F(LostDirectory, ReplacedByAnotherStoreLeavesThatAlone) {
  make_other();
  auto store = open(store_);
  ASSERT_TRUE(history_.create(*store, large_saga("g"), Durability::durable));
  ASSERT_TRUE(store->maintain());
  // Here the next segment was prepared ahead, and a stop removes it. There it has a part of the
  // log.
  ASSERT_TRUE(fs::exists(persist::segment_path(store_, 2)));
  ASSERT_TRUE(fs::exists(persist::segment_path(other_, 2)));
  const auto before = replace();
  expect_failed(*store);
  store.reset();
  EXPECT_EQ(contents(store_), before);
  store = open(store_);
  of_other_.check(*store);
  store = open(moved_);
  history_.check(*store);
}

TEST_F(LostDirectory, ReplacedRightBeforeASegmentEndsLeavesThatAlone) {
  make_other();
  auto store = open(store_);
  ASSERT_TRUE(create_large(*store, "g"));
  ASSERT_TRUE(store->maintain());
  const auto before = replace();
  ignore_error(create_large(*store, "ends the segment"), "this one is still in the old segment");
  EXPECT_FALSE(create_large(*store, "would be in the next one"));
  store.reset();
  EXPECT_EQ(contents(store_), before);
}

TEST_F(LostDirectory, ReplacedAfterAFailureLeavesThatAlone) {
  make_other();
  SmallDisk disk(dir_.path());
  auto store = open(store_, &disk);
  ASSERT_TRUE(create_large(*store, "g"));
  ASSERT_TRUE(store->maintain());
  ASSERT_TRUE(fs::exists(persist::segment_path(store_, 2)));
  // The store may give up a piece of its reserve and go on; then that room is taken as well.
  int created = 0;
  do {
    ASSERT_LT(created, 100);
    disk.fill_up();
  } while (create_large(*store, "h" + std::to_string(created++)));
  ASSERT_TRUE(has_failed(*store));
  const auto before = replace();
  store.reset();
  EXPECT_EQ(contents(store_), before);
}

TEST_F(LostDirectory, AStopNoticesItToo) {
  auto store = open(store_);
  ASSERT_TRUE(history_.create(*store, sample_saga("g"), Durability::durable));
  fs::rename(store_, moved_);
  store.reset();
  EXPECT_FALSE(fs::exists(store_));
  EXPECT_NE(log_.take().find("the store's directory was removed or replaced"), std::string::npos);
  store = open(moved_);
  history_.check(*store);
}

TEST_F(LostDirectory, WithoutItsLockAStoreIsNobodysAlone) {
  auto store = open(store_);
  fs::remove(store_ + "/LOCK");
  expect_failed(*store);
}

}  // namespace
}  // namespace concerto::test
