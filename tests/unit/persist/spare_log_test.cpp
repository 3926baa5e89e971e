#include "leveldb/spare_log.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

using test::file_content;
using test::set_file_content;

constexpr std::uint64_t mebibyte = 1 << 20;

class SpareLogTest : public testing::Test {
 protected:
  std::string make_log(const std::string& name, std::size_t bytes = 1000) {
    const std::string path = dir_.path() + "/" + name;
    set_file_content(path, std::string(bytes, 'x'));
    return path;
  }
  static void make_ready(SpareLog& spare) {
    for (bool more = true; more;) {
      const auto zeroed = spare.zero_piece();
      ASSERT_TRUE(zeroed) << zeroed.error().detail;
      more = *zeroed;
    }
  }
  bool exists(const std::string& path) { return std::filesystem::exists(path); }

  /// The size of the file that the spare log gives. All of it must be zeros.
  std::uint64_t zeros_given(SpareLog& spare) {
    const std::string log = dir_.path() + "/next.log";
    const auto size = spare.use_as(log);
    EXPECT_TRUE(size) << size.error().detail;
    if (!size || *size == 0) return 0;
    const std::string content = file_content(log);
    EXPECT_EQ(content.size(), *size);
    EXPECT_TRUE(std::all_of(content.begin(), content.end(), [](char c) { return c == 0; }));
    return *size;
  }

  test::TempDir dir_;
  const std::string path_ = spare_log_path(dir_.path());
  SpareLog spare_{posix_disk(), path_, mebibyte};
};

TEST_F(SpareLogTest, GivesWhatItKeptOnceItIsZeroed) {
  const std::string log = make_log("old.log", mebibyte + 5);
  EXPECT_TRUE(*spare_.keep(log));
  EXPECT_FALSE(exists(log));
  EXPECT_TRUE(*spare_.zero_piece());
  EXPECT_EQ(zeros_given(spare_), 0U);
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), 2 * mebibyte);
  EXPECT_EQ(zeros_given(spare_), 0U);
}

TEST_F(SpareLogTest, IsAtLeastAByteLongerThanTheLastLog) {
  SpareLog spare(posix_disk(), path_, 1000);
  ASSERT_TRUE(*spare.keep(make_log("old.log", 300'000)));
  make_ready(spare);
  EXPECT_EQ(zeros_given(spare), 301'000U);
}

TEST_F(SpareLogTest, KeepsOneAtATime) {
  EXPECT_TRUE(*spare_.keep(make_log("one.log")));
  const std::string second = make_log("two.log");
  EXPECT_FALSE(*spare_.keep(second));
  EXPECT_FALSE(spare_.want(1000));
  EXPECT_TRUE(exists(second));
}

TEST_F(SpareLogTest, MakesANewOneWhenAsked) {
  EXPECT_TRUE(spare_.want(mebibyte - 1));
  EXPECT_FALSE(spare_.want(mebibyte - 1));
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), mebibyte);
}

TEST_F(SpareLogTest, DoesNotKeepALongOne) {
  const std::string log = make_log("long.log");
  std::filesystem::resize_file(log, 64 * mebibyte + 1);
  EXPECT_FALSE(*spare_.keep(log));
  EXPECT_TRUE(exists(log));
}

TEST_F(SpareLogTest, GivesUpItsRoomAndKeepsAnotherOneLater) {
  ASSERT_TRUE(*spare_.keep(make_log("old.log")));
  make_ready(spare_);
  EXPECT_TRUE(*spare_.give_up());
  EXPECT_FALSE(exists(path_));
  EXPECT_FALSE(*spare_.give_up());
  EXPECT_EQ(zeros_given(spare_), 0U);
  ASSERT_TRUE(*spare_.keep(make_log("older.log")));
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), mebibyte);
}

TEST_F(SpareLogTest, GivenUpWhileItIsZeroedIsNeverUsed) {
  ASSERT_TRUE(*spare_.keep(make_log("old.log", mebibyte + 5)));
  ASSERT_TRUE(*spare_.zero_piece());
  EXPECT_TRUE(*spare_.give_up());
  const std::string next = make_log("older.log");
  EXPECT_FALSE(*spare_.keep(next)) << "the thread that zeroes still has the file";
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), 0U);
  ASSERT_TRUE(*spare_.keep(next));
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), mebibyte);
}

TEST_F(SpareLogTest, GivesUpWhatAnEarlierProcessLeft) {
  set_file_content(path_, std::string(1000, '\0'));
  EXPECT_TRUE(*spare_.give_up());
  EXPECT_FALSE(exists(path_));
  EXPECT_FALSE(*spare_.give_up());
}

TEST_F(SpareLogTest, WithoutAPathThereIsNone) {
  SpareLog none(posix_disk(), "", mebibyte);
  EXPECT_FALSE(*none.keep(make_log("old.log")));
  EXPECT_FALSE(none.want(1000));
  EXPECT_TRUE(none.drop());
}

TEST_F(SpareLogTest, IsRemovedForGood) {
  ASSERT_TRUE(*spare_.keep(make_log("old.log")));
  ASSERT_TRUE(spare_.drop());
  EXPECT_FALSE(exists(path_));
  make_ready(spare_);
  EXPECT_EQ(zeros_given(spare_), 0U);
  EXPECT_FALSE(spare_.want(1000));
  EXPECT_FALSE(exists(path_));
}

}  // namespace
}  // namespace concerto::persist
