// A log file on a disk that becomes full.

#include <algorithm>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "leveldb/append_file.hpp"
#include "leveldb/patient_disk.hpp"
#include "small_disk.hpp"
#include "store_files.hpp"

namespace concerto::persist {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kibibyte = 1 << 10;

/// A log that zeroes 256 KiB ahead.
class LogRoom : public testing::Test {
 protected:
  /// Appends a group of so many bytes and syncs it.
  leveldb::Status write(std::size_t bytes) {
    leveldb::Status done = log_.Append(std::string(bytes, 'x'));
    if (done.ok()) done = log_.Sync();
    if (done.ok()) written_ += bytes;
    return done;
  }
  void leave_free(std::uint64_t bytes) { disk_.set_size(disk_.used() + bytes); }

  /// The log has what was written, and only zeros behind it.
  void check_content() const {
    const std::string content = test::file_content(path_);
    ASSERT_GE(content.size(), written_);
    const auto end = content.begin() + static_cast<std::ptrdiff_t>(written_);
    EXPECT_TRUE(std::all_of(content.begin(), end, [](char c) { return c == 'x'; }));
    EXPECT_TRUE(std::all_of(end, content.end(), [](char c) { return c == 0; }));
  }

  test::TempDir dir_;
  const std::string path_ = dir_.path() + "/000001.log";
  test::SmallDisk disk_{dir_.path()};
  PatientDisk patient_{disk_};
  DirtyDirs dirty_{patient_};
  FirstFailure failure_;
  BackgroundPace pace_;
  const LogSpace space_{256 * kibibyte, "", 1024 * kibibyte};
  LogFile log_{path_,
               patient_.create(path_).value(),
               0,
               0,
               {dirty_, failure_, pace_, patient_.space()},
               space_,
               [] {}};
  std::uint64_t written_ = 0;
};

TEST_F(LogRoom, UsesThePartOfAStepForWhichThereIsRoom) {
  leave_free(130 * kibibyte);
  ASSERT_TRUE(write(1000).ok());
  EXPECT_EQ(fs::file_size(path_), 128 * kibibyte);
  leave_free(0);
  ASSERT_TRUE(write(127 * kibibyte).ok());
  EXPECT_FALSE(failure_.happened());
  check_content();
}

TEST_F(LogRoom, TakesNoMoreOfWhatIsHeldBackThanTheWriteNeeds) {
  ASSERT_TRUE(write(1000).ok());
  leave_free(0);
  int given = 0;
  patient_.space().give_from([&](std::uint64_t) {
    leave_free(16 * kibibyte);
    return ++given > 0;
  });
  ASSERT_TRUE(write(256 * kibibyte).ok());
  EXPECT_EQ(given, 1);
  EXPECT_EQ(fs::file_size(path_), 260 * kibibyte);
  check_content();
}

TEST_F(LogRoom, WaitsForRoomBeforeAByteIsWritten) {
  ASSERT_TRUE(write(1000).ok());
  leave_free(0);
  patient_.space().wait_from_now_on([&](const Error&) {
    check_content();
    disk_.set_size(UINT64_MAX);
  });
  ASSERT_TRUE(write(256 * kibibyte).ok());
  EXPECT_FALSE(failure_.happened());
  check_content();
}

TEST_F(LogRoom, WithoutRoomNothingOfAGroupIsWritten) {
  ASSERT_TRUE(write(1000).ok());
  leave_free(0);
  EXPECT_FALSE(write(256 * kibibyte).ok());
  EXPECT_TRUE(failure_.happened());
  check_content();
}

TEST_F(LogRoom, ATableAsksForTheRoomThatAllOfItNeeds) {
  const std::string path = dir_.path() + "/000002.ldb";
  std::vector<std::uint64_t> wanted;
  patient_.space().give_from([&](std::uint64_t bytes) {
    wanted.push_back(bytes);
    leave_free(64 * kibibyte);
    return true;
  });
  TableFile table(path, patient_.create(path).value(), 128 * kibibyte,
                  {dirty_, failure_, pace_, patient_.space()});
  leave_free(0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(table.Append(std::string(64 * kibibyte, 't')).ok());
  const std::vector<std::uint64_t> expected{128 * kibibyte, 64 * kibibyte, 0};
  EXPECT_EQ(wanted, expected);
}

TEST_F(LogRoom, ATableThatIsNotWrittenWholeGivesItsRoomBack) {
  const std::string path = dir_.path() + "/000002.ldb";
  TableFile table(path, patient_.create(path).value(), 1024 * kibibyte,
                  {dirty_, failure_, pace_, patient_.space()});
  leave_free(200 * kibibyte);
  while (table.Append(std::string(64 * kibibyte, 't')).ok()) {
  }
  EXPECT_EQ(fs::file_size(path), 0U);
}

}  // namespace
}  // namespace concerto::persist
