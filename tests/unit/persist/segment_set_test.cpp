#include "leveldb/segment_set.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

namespace fs = std::filesystem;

/// Two segments, the older one of which can be dropped.
class SegmentSetTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.start());
    for (const std::uint64_t number : {1U, 2U}) {
      SegmentState state;
      state.number = number;
      state.first_group = number == 1 ? 1 : 10;
      auto segment = Segment::create(env_, path_of(number), state);
      ASSERT_TRUE(segment) << segment.error().detail;
      segments_.add(std::move(*segment), state);
    }
  }

  std::string path_of(std::uint64_t number) const { return segment_path(dir_.path(), number); }

  test::TempDir dir_;
  SegmentEnv env_{posix_disk(), test::small_options(dir_.path())};
  SegmentSet segments_;
};

TEST_F(SegmentSetTest, AReaderOfADroppedSegmentRemovesNoFile) {
  std::shared_ptr<Segment> read = segments_.of(9);
  segments_.drop_oldest();
  EXPECT_EQ(segments_.of(9), nullptr);
  segments_.remove_dropped();
  EXPECT_TRUE(fs::exists(path_of(1))) << "it is still read";
  read.reset();
  EXPECT_TRUE(fs::exists(path_of(1))) << "whoever lets go may be a shard";
  segments_.remove_dropped();
  EXPECT_FALSE(fs::exists(path_of(1)));
  EXPECT_TRUE(fs::exists(path_of(2)));
}

TEST_F(SegmentSetTest, ADroppedSegmentThatNobodyReadsGoesAtOnce) {
  segments_.drop_oldest();
  segments_.remove_dropped();
  EXPECT_FALSE(fs::exists(path_of(1)));
  EXPECT_EQ(segments_.size(), 1U);
}

TEST_F(SegmentSetTest, AFinishedTransactionIsLookedForWhereItBegan) {
  const Fingerprint gid{7, 7};
  EXPECT_TRUE(segments_.maybe_in(gid).empty());
  EXPECT_TRUE(segments_.note_finished(9, gid, TransStatus::failed, test::at_second(5)));
  const auto maybe = segments_.maybe_in(gid);
  ASSERT_EQ(maybe.size(), 1U);
  EXPECT_EQ(maybe.front()->number(), 1U);
  const SegmentSet::Facts older = segments_.facts_of(*maybe.front());
  EXPECT_EQ(older.finished_count, 1U);
  EXPECT_EQ(older.state.newest_finish, test::at_second(5));
  EXPECT_EQ(older.state.newest_failure, test::at_second(5));
  EXPECT_EQ(segments_.facts_of(*segments_.current()).finished_count, 0U);
  segments_.correct_finish_times(test::at_second(3));
  EXPECT_EQ(segments_.states().front().newest_failure, test::at_second(3));
  segments_.drop_oldest();
  EXPECT_FALSE(segments_.note_finished(9, gid, TransStatus::failed, test::at_second(5)));
}

TEST_F(SegmentSetTest, AStoreThatIsClosedLeavesNoDroppedSegment) {
  segments_.drop_oldest();
  segments_.clear();
  EXPECT_FALSE(fs::exists(path_of(1)));
  EXPECT_TRUE(fs::exists(path_of(2)));
}

}  // namespace
}  // namespace concerto::persist
