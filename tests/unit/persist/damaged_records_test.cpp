#include "damaged_records.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::persist {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Lines final : Observer {
  void log(LogLevel, std::string_view, std::string_view text) override { all.emplace_back(text); }
  bool logs(LogLevel) const noexcept override { return true; }
  std::vector<std::string> all;
};

TEST(DamagedRecords, AreReportedByNameWithTheirLastReason) {
  Lines lines;
  DamagedRecords damaged(lines);
  damaged.trans("g2", "status is 'odd'");
  damaged.other("the schedule", "it is a string");
  damaged.trans("g1", "options: not JSON");
  damaged.trans("g2", "custom_data: not JSON");
  const DamagedRecord first{true, "g1", "options: not JSON"};
  const DamagedRecord second{true, "g2", "custom_data: not JSON"};
  const DamagedRecord third{false, "the schedule", "it is a string"};
  EXPECT_THAT(damaged.report(10).records, ElementsAre(first, second, third));
  EXPECT_TRUE(damaged.report(3).is_complete);
  EXPECT_THAT(lines.all, SizeIs(3));
}

TEST(DamagedRecords, AreReportedUpToALimit) {
  Lines lines;
  DamagedRecords damaged(lines);
  for (const char* gid : {"g1", "g2", "g3"}) damaged.trans(gid, "x");
  const DamageReport some = damaged.report(2);
  EXPECT_THAT(some.records, SizeIs(2));
  EXPECT_FALSE(some.is_complete);
  EXPECT_EQ(some.total, 3U);
  EXPECT_EQ(damaged.report(0).total, 3U);
}

TEST(DamagedRecords, AreForgottenWhenTheyAreRead) {
  Lines lines;
  DamagedRecords damaged(lines);
  damaged.trans("g1", "x");
  damaged.is_sound("g1");
  EXPECT_THAT(damaged.report(10).records, IsEmpty());
  damaged.trans("g1", "y");
  EXPECT_EQ(damaged.count(), 1U);
  EXPECT_THAT(lines.all, SizeIs(2));
}

TEST(DamagedRecords, KeepAShortReason) {
  Lines lines;
  DamagedRecords damaged(lines);
  damaged.trans("g1", std::string(10'000, 'x'));
  EXPECT_LE(damaged.report(1).records.at(0).why.size(), 300U);
}

}  // namespace
}  // namespace concerto::persist
