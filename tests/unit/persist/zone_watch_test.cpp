#include "sql/zone_watch.hpp"

#include <gmock/gmock.h>

#include "fake_clock.hpp"

namespace concerto::test {
namespace {

using namespace persist;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Verdict = ZoneWatch::Verdict;

/// A coordinator `cc-own` that looks at the records of a database.
class ZoneWatchTest : public testing::Test {
 protected:
  ZoneRecord& add(std::int64_t id, const std::string& node, std::chrono::seconds east_of_utc) {
    ZoneRecord record;
    record.id = id;
    record.node = node;
    record.host = "host-of-" + node;
    record.east_of_utc = east_of_utc;
    record.beats = 7;
    look_.records.push_back(record);
    return look_.records.back();
  }
  Verdict judge() { return watch_.judge(look_, clock_.steady_now()); }
  /// Time passes between two looks.
  Verdict judge_after(std::chrono::nanoseconds pause) {
    clock_.advance(pause);
    return judge();
  }
  /// This coordinator works, with this record.
  void begin(std::int64_t id) {
    ASSERT_EQ(judge(), Verdict::agrees);
    add(id, "cc-own", look_.east_of_utc);
    ASSERT_EQ(judge(), Verdict::agrees);
    ASSERT_TRUE(watch_.works());
  }
  void set_own_zone(std::chrono::seconds east_of_utc) {
    look_.east_of_utc = east_of_utc;
    for (ZoneRecord& record : look_.records) {
      if (record.node == "cc-own") record.east_of_utc = east_of_utc;
    }
  }
  ZoneRecord& record_of(const std::string& node) {
    return *std::ranges::find(look_.records, node, &ZoneRecord::node);
  }

  FakeClock clock_;
  ZoneWatch::Times times_;
  ZoneWatch watch_{"cc-own", times_};
  ZoneLook look_{8h, {}};
};

TEST_F(ZoneWatchTest, WorksAfterALookThatShowsItsOwnRecord) {
  add(1, "cc-other", 8h);
  EXPECT_EQ(judge(), Verdict::agrees);
  EXPECT_FALSE(watch_.works());
  add(2, "cc-own", 8h);
  EXPECT_EQ(judge(), Verdict::agrees);
  EXPECT_TRUE(watch_.works());
  EXPECT_FALSE(watch_.is_due(clock_.steady_now()));
  clock_.advance(times_.beat);
  EXPECT_TRUE(watch_.is_due(clock_.steady_now()));
}

TEST_F(ZoneWatchTest, DoesNotStartBesideOneThatRenewsAnotherZone) {
  ZoneRecord& other = add(1, "cc-other", -(3h + 30min));
  EXPECT_EQ(judge(), Verdict::undecided);
  EXPECT_THAT(watch_.reason(), HasSubstr("is not known yet"));
  EXPECT_EQ(judge_after(1s), Verdict::undecided);
  ++other.beats;
  EXPECT_EQ(judge_after(1s), Verdict::differs);
  EXPECT_THAT(watch_.reason(),
              AllOf(HasSubstr("+08:00"), HasSubstr("cc-other"), HasSubstr("'host-of-cc-other'"),
                    HasSubstr("-03:30"), HasSubstr("TimeZoneOffset")));
  EXPECT_FALSE(watch_.works());
  look_.records.clear();
  EXPECT_EQ(judge(), Verdict::agrees);
  EXPECT_EQ(watch_.reason(), "");
}

TEST_F(ZoneWatchTest, StartsWhenARecordThatNobodyRenewsIsTooOld) {
  ZoneRecord& other = add(1, "cc-killed", 5h);
  other.age = 15s;
  EXPECT_EQ(judge(), Verdict::undecided);
  EXPECT_TRUE(watch_.dead(look_).empty());
  other.age = 16s;
  EXPECT_EQ(judge_after(1s), Verdict::agrees);
  EXPECT_EQ(watch_.dead(look_).size(), 1U);
}

TEST_F(ZoneWatchTest, StartsWhenNobodyRenewsARecordWhoseAgeIsWrong) {
  add(1, "cc-killed", 5h).age = -1h;
  EXPECT_EQ(judge(), Verdict::undecided);
  EXPECT_EQ(judge_after(14s), Verdict::undecided);
  EXPECT_EQ(judge_after(2s), Verdict::agrees);
}

TEST_F(ZoneWatchTest, ARecordThatIsWrittenAnewIsJudgedAnew) {
  ZoneRecord& other = add(1, "cc-other", 5h);
  EXPECT_EQ(judge(), Verdict::undecided);
  other.id = 2;
  other.beats = 1;
  EXPECT_EQ(judge(), Verdict::undecided);
  ++other.beats;
  EXPECT_EQ(judge(), Verdict::differs);
}

TEST_F(ZoneWatchTest, RenewalsBeforeTheOwnZoneChangedProveNothing) {
  ZoneRecord& other = add(1, "cc-other", 5h);
  EXPECT_EQ(judge(), Verdict::undecided);
  set_own_zone(9h);
  ++other.beats;
  EXPECT_EQ(judge(), Verdict::undecided);
  ++other.beats;
  EXPECT_EQ(judge(), Verdict::differs);
}

TEST_F(ZoneWatchTest, TheBeginOfSummerTimeIsNoDifference) {
  add(1, "cc-other", 8h);
  add(2, "cc-killed", 8h);
  begin(3);
  set_own_zone(9h);
  EXPECT_EQ(judge_after(1ms), Verdict::agrees);
  // The clock of the other's machine is a moment behind.
  ++record_of("cc-other").beats;
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  record_of("cc-other").east_of_utc = 9h;
  ++record_of("cc-other").beats;
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  // And one that was killed just before renews nothing.
  EXPECT_EQ(judge_after(6s), Verdict::agrees);
}

TEST_F(ZoneWatchTest, OneThatFollowsAMomentBeforeTheOthersAgreesToo) {
  add(1, "cc-other", 8h);
  begin(2);
  record_of("cc-other").east_of_utc = 9h;
  ++record_of("cc-other").beats;
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  set_own_zone(9h);
  ++record_of("cc-other").beats;
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
}

TEST_F(ZoneWatchTest, OfTwoThatWorkTheLaterOneStops) {
  add(1, "cc-earlier", 8h);
  begin(2);
  add(3, "cc-later", 8h);
  EXPECT_EQ(judge(), Verdict::agrees);
  // From now on this one's zone has summer time and the others' has not.
  set_own_zone(9h);
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  record_of("cc-later").beats += 5;
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  record_of("cc-earlier").beats += 2;
  EXPECT_EQ(judge_after(4s), Verdict::differs);
  EXPECT_FALSE(watch_.works());
  EXPECT_THAT(watch_.reason(), HasSubstr("cc-earlier"));
}

TEST_F(ZoneWatchTest, AfterALongTimeWithoutALookItIsALaterOne) {
  begin(1);
  clock_.advance(times_.alive_for + 1s);
  EXPECT_TRUE(watch_.has_lapsed(clock_.steady_now()));
  look_.records.clear();
  add(2, "cc-other", 5h);
  EXPECT_EQ(judge(), Verdict::undecided);
  EXPECT_FALSE(watch_.works());
}

TEST_F(ZoneWatchTest, WorksWithoutRecordsIfItMustAndStillGivesWay) {
  watch_.work_without(clock_.steady_now());
  EXPECT_TRUE(watch_.works());
  add(1, "cc-other", 5h);
  EXPECT_EQ(judge_after(4s), Verdict::agrees);
  record_of("cc-other").beats += 2;
  EXPECT_EQ(judge_after(4s), Verdict::differs);
}

}  // namespace
}  // namespace concerto::test
