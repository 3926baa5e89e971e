// How a closed store is removed.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "leveldb/store_core.hpp"
#include "passing_disk.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace {

/// Notes what is removed from a store's directory, and when that is synced.
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

TEST(StoreReset, TheIdentityIsGoneForGoodBeforeAnythingElseGoes) {
  const TempDir dir;
  const StoreClock clock;
  LogLines log;
  const std::string path = std::filesystem::canonical(dir.path()).string() + "/store";
  LevelDbStore::open(small_options(path), clock, log).value()->close();
  WatchedDisk disk(path);
  ASSERT_TRUE(persist::remove_store(disk, path));
  const std::vector<std::string> wanted{"sync", "IDENTITY", "sync", "STATE"};
  ASSERT_GE(disk.calls.size(), wanted.size());
  disk.calls.resize(wanted.size());
  EXPECT_EQ(disk.calls, wanted);
}

}  // namespace
}  // namespace concerto::test
