#include "wake_ups.hpp"

#include <string>
#include <utility>
#include <vector>

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

/// Keeps the wakes of one shard in `woken_`.
class WakeUpsOfAShard : public testing::Test {
 protected:
  void pass_time(std::chrono::nanoseconds by) {
    clock_.advance(by);
    timers_.run_due();
  }
  SteadyTime in(std::chrono::nanoseconds time) { return timers_.now() + time; }

  asio::io_context io_{1};
  FakeClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  ScriptedBranches branches_;
  SeededRandom random_{1};
  RecordingObserver observer_;
  CoordinatorOptions options_;
  LiveTable live_{io_.get_executor(), [](LiveTrans&) {}, [](LiveTrans&) {}};
  std::vector<std::string> woken_;
  WakeUps wakes_{ShardPorts{io_.get_executor(), timers_, branches_, random_, observer_}, options_,
                 live_, [this](Alarms::Wake wake, const std::string& slot) {
                   woken_.push_back(wake.gid.str() + (slot.empty() ? "" : " with " + slot));
                 }};
};

TEST_F(WakeUpsOfAShard, AreLimitedByHowManyAreInProgress) {
  options_.wakes_in_progress_max = 2;
  wakes_.set_next_pass(Gid("1"), in(milliseconds(1)));
  wakes_.set_next_pass(Gid("2"), in(milliseconds(2)));
  wakes_.set_timeout(Gid("3"), in(milliseconds(3)));
  pass_time(seconds(1));
  EXPECT_THAT(woken_, ElementsAre("1", "2"));
  wakes_.ended({});
  timers_.run_due();
  EXPECT_THAT(woken_, ElementsAre("1", "2", "3"));
}

TEST_F(WakeUpsOfAShard, GiveASlotThatWasNotUsedToTheNextInTheQueue) {
  wakes_.set_next_pass(Gid("w"), in(milliseconds(1)));
  pass_time(seconds(1));
  for (std::size_t i = 0; i < TargetSlots::first_limit; ++i) {
    EXPECT_TRUE(wakes_.take_slot("a", {Gid("t" + std::to_string(i)), true, false}));
  }
  EXPECT_FALSE(wakes_.take_slot("a", {Gid("next"), true, false}));
  InFlight counts;
  wakes_.add_to(counts, timers_.now());
  EXPECT_EQ(counts.queued, 1U);
  wakes_.ended("a");
  EXPECT_THAT(woken_, ElementsAre("w", "next with a"));
}

TEST_F(WakeUpsOfAShard, FollowAnAnswerOfTheTarget) {
  wakes_.set_next_pass(Gid("1"), in(seconds(100)), "a");
  wakes_.set_next_pass(Gid("2"), in(seconds(100)), "b");
  EXPECT_TRUE(wakes_.any_waits_for_target());
  wakes_.wake_waiting("a");
  wakes_.wake_waiting("a");
  EXPECT_THAT(woken_, ElementsAre("1 with a"));
}

TEST_F(WakeUpsOfAShard, TryOneTransactionForAllThatWaitForATarget) {
  for (const char* gid : {"1", "2", "3"}) wakes_.set_next_pass(Gid(gid), in(seconds(100)), "a");
  pass_time(options_.retry_interval);
  EXPECT_EQ(woken_.size(), 1U);
  pass_time(options_.retry_interval);
  EXPECT_EQ(woken_.size(), 1U) << "the target is being tried";
  wakes_.give_back_slot("a", TargetSlots::Use::answered);
  EXPECT_EQ(woken_.size(), 3U);
}

TEST_F(WakeUpsOfAShard, EndWithAStop) {
  wakes_.set_next_pass(Gid("1"), in(seconds(1)));
  wakes_.set_next_pass(Gid("2"), in(seconds(100)), "a");
  wakes_.stop();
  wakes_.wake_waiting("a");
  pass_time(seconds(200));
  EXPECT_THAT(woken_, IsEmpty());
}

TEST_F(WakeUpsOfAShard, OfAQueuedTransactionAreReturnedWhenItsPassBegins) {
  for (std::size_t i = 0; i < TargetSlots::first_limit; ++i) {
    wakes_.take_slot("a", {Gid("t" + std::to_string(i)), true, false});
  }
  wakes_.take_slot("a", {Gid("queued"), false, true});
  const auto wake = wakes_.begin_pass(Gid("queued"));
  ASSERT_TRUE(wake.has_value());
  EXPECT_TRUE(wake->timeout);
  wakes_.give_back_slot("a", TargetSlots::Use::unused);
  EXPECT_THAT(woken_, IsEmpty());
}

}  // namespace
}  // namespace concerto::test
