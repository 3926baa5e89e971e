#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "fake_clock.hpp"

namespace concerto::test {
namespace {

using std::chrono::milliseconds;

TEST(Timers, AreDueInOrderAndNeverEarly) {
  asio::io_context io{1};
  FakeClock clock;
  Timers timers(io.get_executor(), clock);
  std::vector<int> called;
  Timer late(timers, [&] { called.push_back(2); });
  Timer early(timers, [&] { called.push_back(1); });
  Timer cancelled(timers, [&] { called.push_back(3); });
  late.set(timers.now() + milliseconds(20));
  early.set(timers.now() + milliseconds(10));
  cancelled.set(timers.now() + milliseconds(5));
  cancelled.cancel();
  clock.advance(milliseconds(9));
  timers.run_due();
  EXPECT_TRUE(called.empty());
  clock.advance(milliseconds(11));
  timers.run_due();
  EXPECT_EQ(called, (std::vector{1, 2}));
}

TEST(Timers, LetTheContextEndWhenDisarmed) {
  asio::io_context io{1};
  FakeClock clock;
  Timers timers(io.get_executor(), clock);
  Timer timer(timers, [] {});
  timer.set(timers.now() + std::chrono::hours(1));
  timer.cancel();
  timers.disarm();
  io.run();
  EXPECT_TRUE(io.stopped());
}

/// Goes through a wait whose cancellation is not seen, as that for an answer of another shard.
Task<void> wait_and_sleep(Timers& timers, Notifier& answered, std::optional<bool>& slept) {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool has_answer = false;
  while (!has_answer) has_answer = co_await answered.wait();
  slept = co_await sleep_until(timers, timers.now() + milliseconds(10));
}

TEST(Timers, DoNotLetSleepWhatWasCancelledBefore) {
  asio::io_context io{1};
  FakeClock clock;
  Timers timers(io.get_executor(), clock);
  Notifier answered{io.get_executor()};
  std::optional<bool> slept;
  TaskGroup group{io.get_executor()};
  const auto run = [&io] {
    io.restart();
    io.poll();
  };
  group.spawn(wait_and_sleep(timers, answered, slept));
  run();
  asio::post(io, [&group] { group.cancel(); });
  run();
  answered.notify_all();
  run();
  EXPECT_EQ(slept, std::optional(false));
  clock.advance(milliseconds(10));
  timers.run_due();
  run();
  EXPECT_EQ(group.size(), 0U);
}

TEST(Timers, AreDueAtTheirTimeAfterManyRandomChanges) {
  asio::io_context io{1};
  FakeClock clock;
  Timers timers(io.get_executor(), clock);
  SeededRandom random(7);
  std::vector<std::unique_ptr<Timer>> all;
  std::vector<SteadyTime> due(200, SteadyTime::max());
  for (std::size_t i = 0; i < due.size(); ++i) {
    all.push_back(std::make_unique<Timer>(timers, [&due, &clock, i] {
      EXPECT_EQ(due[i], clock.steady_now());
      due[i] = SteadyTime::max();
    }));
  }
  for (int round = 0; round < 5000; ++round) {
    const auto i = random.below(due.size());
    if (random.chance(30)) {
      due[i] = SteadyTime::max();
      all[i]->cancel();
    } else {
      due[i] = clock.steady_now() + milliseconds(1 + random.below(50));
      all[i]->set(due[i]);
    }
    clock.advance(milliseconds(1));
    timers.run_due();
    EXPECT_EQ(timers.earliest(), *std::min_element(due.begin(), due.end()));
  }
}

}  // namespace
}  // namespace concerto::test
