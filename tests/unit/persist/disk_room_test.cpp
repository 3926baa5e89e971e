#include "leveldb/disk_room.hpp"

#include <cerrno>
#include <filesystem>
#include <utility>

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
  EXPECT_FALSE(persist::lacks_space("cannot write 'a': File too large"));
  EXPECT_FALSE(persist::lacks_space("cannot sync 'a': Input/output error"));
  EXPECT_FALSE(persist::lacks_space(""));
}

TEST(SystemFailure, SaysThatTheDiskIsFullWhereMoreRoomWouldHelp) {
  for (const auto& [number, full] : {std::pair{ENOSPC, true}, std::pair{EDQUOT, true},
                                     std::pair{EFBIG, false}, std::pair{EIO, false}}) {
    errno = number;
    const std::string text = persist::system_failure("cannot write", "a").detail;
    EXPECT_EQ(text.find(persist::disk_full_text) != text.npos, full) << text;
    EXPECT_EQ(persist::lacks_space(text), full) << text;
  }
}

TEST(ReserveSize, FollowsTheRoomThereIs) {
  constexpr std::uint64_t wanted = 64 * mebibyte;
  struct Row {
    std::uint64_t room_mebibytes;
    std::uint64_t want_mebibytes;
  };
  for (const auto& [room, want] : {Row{1000, 64}, Row{193, 64}, Row{192, 24}, Row{150, 24},
                                   Row{113, 24}, Row{112, 4}, Row{73, 4}, Row{72, 0}, Row{0, 0}}) {
    EXPECT_EQ(persist::reserve_size_for(wanted, room * mebibyte), want * mebibyte) << room;
  }
}

/// A reserve of 16 MiB is wanted.
class SmallVolume : public testing::Test {
 protected:
  static constexpr persist::DiskRoom::Limits limits{16 * mebibyte, 0};

  /// A second object for the same directory, as in another process.
  std::unique_ptr<DiskRoom> make_room() {
    auto log = [this](LogLevel, const std::string& text) { lines_ += text + "\n"; };
    return std::make_unique<DiskRoom>(disk_, dir_.path(), limits, log);
  }
  static void look_often(DiskRoom& room) {
    for (int i = 0; i < 20; ++i) room.look();
  }
  std::uint64_t held() const {
    const std::string path = persist::reserve_path(dir_.path());
    return fs::exists(path) ? fs::file_size(path) : 0;
  }

  TempDir dir_;
  SmallDisk disk_{dir_.path()};
  std::string lines_;
};

TEST_F(SmallVolume, HoldsAPartOfTheReserveAndSaysHowMuchOnce) {
  disk_.set_size(40 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  EXPECT_EQ(held(), 6 * mebibyte);
  EXPECT_FALSE(room->is_short());
  const std::string line = "no room for a reserve of 16 MiB: 6 MiB are held back";
  const auto at = lines_.find(line);
  ASSERT_NE(at, std::string::npos) << lines_;
  EXPECT_EQ(lines_.find(line, at + 1), std::string::npos) << lines_;
}

TEST_F(SmallVolume, GivesUpHalfOfItOnceAndKeepsTheRestForAStart) {
  disk_.set_size(40 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  disk_.fill_up();
  room->look();
  EXPECT_EQ(held(), 3 * mebibyte);
  for (int starts = 0; starts < 3; ++starts) {
    disk_.fill_up();
    look_often(*room);
    look_often(*make_room());
    EXPECT_EQ(held(), 3 * mebibyte);
  }
}

TEST_F(SmallVolume, GivesUpPiecesThatNoLookTakesForMore) {
  disk_.set_size(40 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  disk_.fill_up();
  ASSERT_TRUE(room->give_up_piece(0));
  const std::uint64_t left = held();
  EXPECT_LT(left, 6 * mebibyte);
  EXPECT_GT(left, 5 * mebibyte);
  disk_.fill_up();
  look_often(*room);
  EXPECT_EQ(held(), left);
  const std::string line = "the store goes on with the 6 MiB of its reserve";
  ASSERT_TRUE(room->give_up_piece(0));
  const auto at = lines_.find(line);
  ASSERT_NE(at, std::string::npos) << lines_;
  EXPECT_EQ(lines_.find("the store goes on with", at + 1), std::string::npos) << lines_;
}

TEST_F(SmallVolume, KeepsTheLastPieceForAStart) {
  disk_.set_size(40 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  room->keep_for_a_start();
  EXPECT_FALSE(room->give_up_piece(6 * mebibyte)) << "that much would not be enough";
  EXPECT_EQ(held(), 6 * mebibyte);
  while (room->give_up_piece(0)) {
  }
  EXPECT_EQ(held(), mebibyte / 4);
  const auto start = make_room();
  EXPECT_TRUE(start->give_up_piece(0));
  EXPECT_EQ(held(), 0U);
  EXPECT_FALSE(start->give_up_piece(0));
}

TEST_F(SmallVolume, SaysOnceAtTheStartThatItSoonTakesNoMoreTransactions) {
  disk_.set_size(17 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  const std::string line = "room for new transactions for a short time at most";
  const auto at = lines_.find(line);
  ASSERT_NE(at, std::string::npos) << lines_;
  EXPECT_EQ(lines_.find(line, at + 1), std::string::npos) << lines_;
  lines_.clear();
  disk_.set_size(40 * mebibyte);
  look_often(*make_room());
  EXPECT_EQ(lines_.find(line), std::string::npos) << lines_;
}

TEST_F(SmallVolume, GrowsToTheWholeReserveWithTheDisk) {
  disk_.set_size(40 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  disk_.set_size(100 * mebibyte);
  look_often(*room);
  EXPECT_EQ(held(), 16 * mebibyte);
  disk_.fill_up();
  look_often(*room);
  EXPECT_EQ(held(), 8 * mebibyte);
}

TEST_F(SmallVolume, MakesTheReserveAnewAfterSomebodyHasRemovedIt) {
  disk_.set_size(100 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  fs::remove(persist::reserve_path(dir_.path()));
  look_often(*room);
  EXPECT_EQ(held(), 16 * mebibyte);
}

TEST_F(SmallVolume, TooSmallForAnythingSaysSo) {
  disk_.set_size(10 * mebibyte);
  const auto room = make_room();
  look_often(*room);
  EXPECT_EQ(held(), 0U);
  EXPECT_NE(lines_.find("nothing is held back"), std::string::npos) << lines_;
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
  EXPECT_EQ(opened.error().code, EngineErrc::store_failed);
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
  EXPECT_LT(fs::file_size(reserve_), mebibyte);
  EXPECT_GT(fs::file_size(reserve_), mebibyte / 2);
  const std::string lines = log_.take();
  EXPECT_NE(lines.find("the store goes on with the 1 MiB of its reserve"), lines.npos) << lines;
}

TEST_F(StartWithReserve, ARefusedStartGivesNothingBackAndSaysWhatItNeeds) {
  options_.disk = &disk_;
  fs::remove(options_.path + "/SPARE");
  set_file_content(reserve_, std::string(4096, '\0'));
  disk_.fill_up();
  const auto opened = LevelDbStore::open(options_, clock_, log_);
  ASSERT_FALSE(opened);
  const std::string& why = opened.error().detail;
  EXPECT_EQ(opened.error().code, EngineErrc::store_failed);
  EXPECT_NE(why.find("the disk is full"), why.npos) << why;
  EXPECT_NE(why.find("a start needs up to"), why.npos) << why;
  EXPECT_NE(why.find("0 KiB were free and 4 KiB held back"), why.npos) << why;
  EXPECT_EQ(fs::file_size(reserve_), 4096U);
}

TEST_F(StartWithReserve, WithoutAReserveNoneIsSpokenOf) {
  options_.disk = &disk_;
  fs::remove(options_.path + "/SPARE");
  fs::remove(reserve_);
  disk_.set_size(disk_.used() + mebibyte);
  ASSERT_TRUE(LevelDbStore::open(options_, clock_, log_));
  const std::string lines = log_.take();
  EXPECT_EQ(lines.find("reserve"), lines.npos) << lines;
}

}  // namespace
}  // namespace concerto::test
