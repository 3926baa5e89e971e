#include "leveldb/disk_room.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "small_disk.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::DiskRoom;
using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

TEST(LacksSpace, IsTheReasonOfAFullDiskAndNoOther) {
  EXPECT_TRUE(persist::lacks_space("cannot write 'a': the disk is full: No space left on device"));
  EXPECT_TRUE(persist::lacks_space("IO error: a/LOCK: No space left on device"));
  EXPECT_TRUE(persist::lacks_space("cannot write 'a': the disk is full: Disk quota exceeded"));
  EXPECT_FALSE(persist::lacks_space("cannot open 'a': Permission denied"));
  EXPECT_FALSE(persist::lacks_space("cannot write 'a': the disk is full: File too large"));
  EXPECT_FALSE(persist::lacks_space("cannot sync 'a': Input/output error"));
  EXPECT_FALSE(persist::lacks_space(""));
}

class StartWithReserve : public testing::Test {
 protected:
  void SetUp() override {
    LevelDbStore::open(options_, clock_, log_).value()->close();
    set_file_content(reserve_, std::string(mebibyte, '\0'));
    log_.take();
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  SmallDisk disk_{dir_.path()};
  persist::LevelDbOptions options_ = small_options(dir_.path() + "/st");
  const std::string reserve_ = options_.path + "/RESERVE";
};

TEST_F(StartWithReserve, AFailureThatRoomDoesNotMendLeavesTheReserve) {
  fs::create_directory(options_.path + "/STATE.new");
  const auto opened = LevelDbStore::open(options_, clock_, log_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::store_failed);
  EXPECT_NE(opened.error().detail.find("Is a directory"), std::string::npos)
      << opened.error().detail;
  EXPECT_EQ(fs::file_size(reserve_), mebibyte);
  EXPECT_EQ(log_.take().find("reserve"), std::string::npos);
}

TEST_F(StartWithReserve, AFullDiskTakesOfIt) {
  options_.disk = &disk_;
  fs::remove(options_.path + "/SPARE");
  disk_.fill_up();
  const auto opened = LevelDbStore::open(options_, clock_, log_);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_FALSE(fs::exists(reserve_));
  EXPECT_NE(log_.take().find("opened again with less of its reserve"), std::string::npos);
}

}  // namespace
}  // namespace concerto::test
