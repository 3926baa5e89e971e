#include <chrono>
#include <cstdlib>
#include <latch>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <concerto/base/io_thread.hpp>

namespace concerto {
namespace {

TEST(ThreadCheck, LetsThreadsTakeTurns) {
  asio::io_context io{1};
  ThreadCheck thread(io.get_executor());
  int checked = 0;
  const auto run = [&] {
    asio::post(io, [&] { thread.check(), ++checked; });
    io.restart();
    io.poll();
  };
  run();
  std::thread(run).join();
  run();
  EXPECT_EQ(checked, 3);
  thread.check();  // While nobody runs it, objects may be made on any thread.
}

/// Each of two threads is in a handler of the shard when both handlers go on.
void run_by_two_threads() {
  asio::io_context io{1};
  ThreadCheck thread(io.get_executor());
  std::latch both{2};
  const auto work = asio::make_work_guard(io);
  for (int i = 0; i < 2; ++i) {
    asio::post(io, [&] { both.arrive_and_wait(), thread.check(); });
  }
  std::thread other([&io] { io.run(); });
  io.run();
  other.join();
}

/// Both are busy, so that neither answers the other one.
void check_by_two_busy_threads() {
  asio::io_context io;
  ThreadCheck thread(io.get_executor());
  std::latch both{2};
  for (int i = 0; i < 2; ++i) {
    asio::post(io, [&] {
      both.arrive_and_wait();
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
      while (std::chrono::steady_clock::now() < end) thread.check();
      std::_Exit(0);
    });
  }
  std::thread other([&io] { io.run(); });
  io.run();
  other.join();
}

TEST(ThreadCheckDeathTest, EndsAProcessThatRunsAShardByTwoThreads) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(run_by_two_threads(), "the io_context of a shard is run by one thread");
  EXPECT_DEATH(check_by_two_busy_threads(), "the io_context of a shard is run by one thread");
}

TEST(RunUntil, EndsWhenThereIsNoWork) {
  asio::io_context io{1};
  const Executor executor = io.get_executor();
  int idle = 0;
  EXPECT_FALSE(run_until(
      {&executor, 1}, [] { return false; }, [&idle] { ++idle; }));
  EXPECT_EQ(idle, 1);
  asio::post(io, [&idle] { idle = 0; });
  EXPECT_TRUE(run_until(
      {&executor, 1}, [&idle] { return idle == 0; }, [] {}));
}

}  // namespace
}  // namespace concerto
