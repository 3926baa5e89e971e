#include "refused_targets.hpp"

#include <gmock/gmock.h>

#include "fake_clock.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(RefusedTargets, AreToldOnceAMinuteAndNotTooMany) {
  concerto::test::FakeClock clock;
  std::vector<std::string> lines;
  RefusedTargets targets(clock, [&lines](const std::string& line) { lines.push_back(line); });
  targets.tell("a");
  targets.tell("a");
  targets.tell("b");
  EXPECT_THAT(lines, ElementsAre("a", "b"));
  for (int i = 0; i < 1'000; ++i) targets.tell(std::to_string(i));
  EXPECT_THAT(lines, SizeIs(RefusedTargets::lines_per_minute_max));
  clock.advance(std::chrono::minutes{1});
  lines.clear();
  targets.tell("a");
  targets.tell("b");
  EXPECT_THAT(lines, ElementsAre("a (and 942 other refusals since the last such line)", "b"));
}

}  // namespace
}  // namespace concerto::tools
