// How a closed store is removed.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "leveldb/store_core.hpp"
#include "passing_disk.hpp"
#include "store_directory.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace {

/// Notes what is removed from a store's directory, and when the directory is synced.
class WatchedDisk final : public PassingDisk {
 public:
  explicit WatchedDisk(std::string store) : store_(std::move(store)) {}

  Result<> remove(const std::string& path) override {
    if (persist::parent_dir(path) == store_) calls.push_back(path.substr(store_.size() + 1));
    return PassingDisk::remove(path);
  }
  Result<> sync_dir(const std::string& path) override {
    if (path == store_) calls.push_back("sync");
    return PassingDisk::sync_dir(path);
  }

  std::vector<std::string> calls;

 private:
  const std::string store_;
};

class StoreReset : public StoreDirectory {};

TEST_F(StoreReset, AResetLeavesWhatIsNotTheStoresAndTheNextStartWorks) {
  make_store();
  set_file_content(store_ + "/letters.txt", "mine");
  set_file_content(store_ + "/segment-000001/log/notes", "mine too");
  ASSERT_TRUE(LevelDbStore::remove(store_ + "/"));
  EXPECT_EQ(file_content(store_ + "/letters.txt"), "mine");
  EXPECT_EQ(file_content(store_ + "/segment-000001/log/notes"), "mine too");
  Opened opened = open(store_);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->unfinished_count(), 0U);
  EXPECT_EQ(file_content(store_ + "/segment-000001/log/notes"), "mine too");
}

TEST_F(StoreReset, TheIdentityIsGoneForGoodBeforeAnythingElseGoes) {
  make_store();
  const std::string path = std::filesystem::canonical(store_).string();
  WatchedDisk disk(path);
  ASSERT_TRUE(persist::remove_store(disk, path));
  const std::vector<std::string> wanted{"sync", "IDENTITY", "sync", "STATE"};
  ASSERT_GE(disk.calls.size(), wanted.size());
  disk.calls.resize(wanted.size());
  EXPECT_EQ(disk.calls, wanted);
}

}  // namespace
}  // namespace concerto::test
