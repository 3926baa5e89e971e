#include <chrono>
#include <string>

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <concerto/base/compose.hpp>
#include <concerto/base/task_group.hpp>

namespace concerto {
namespace {

Async<std::string> of_a_shard() {
  co_return "of a shard";
}

asio::awaitable<void> of_asio(Executor shard, std::string& got) {
  const Result<std::string> result = co_await as_awaitable(shard, of_a_shard());
  got = result.value();
}

TEST(Compose, AnAwaitableOfAsioAwaitsATask) {
  for (const bool is_same : {true, false}) {
    asio::io_context here, shard{1};
    std::string got;
    const auto executor = shard.get_executor();
    asio::co_spawn(is_same ? shard : here, of_asio(executor, got), asio::detached);
    for (int round = 0; round < 10; ++round) {
      here.restart(), here.poll();
      shard.restart(), shard.poll();
    }
    EXPECT_EQ(got, "of a shard");
  }
}

TEST(Compose, AFunctionIsToldTheEndOfATask) {
  asio::io_context shard{1};
  std::string got;
  start(shard.get_executor(), of_a_shard(),
        [&got](const std::exception_ptr&, const Result<std::string>& result) {
          got = result.value();
        });
  shard.run();
  EXPECT_EQ(got, "of a shard");
}

asio::awaitable<int> waits(std::chrono::seconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return 7;
}

Task<void> of_shard(std::chrono::seconds time, int& got) {
  try {
    got = co_await as_task(waits(time));
  } catch (const boost::system::system_error& error) {
    got = error.code() == asio::error::operation_aborted ? -1 : -2;
  }
}

Task<void> close_all(TaskGroup& group) {
  co_await group.close();
}

TEST(Compose, ATaskAwaitsAnAwaitableOfAsioAndCancelsIt) {
  asio::io_context shard{1};
  int ended = 0, cancelled = 0;
  TaskGroup group(shard.get_executor());
  group.spawn(of_shard(std::chrono::seconds(0), ended));
  group.spawn(of_shard(std::chrono::hours(1), cancelled));
  while (ended == 0) shard.run_one();
  asio::co_spawn(shard, close_all(group), asio::detached);
  shard.run();
  EXPECT_EQ(ended, 7);
  EXPECT_EQ(cancelled, -1);
}

}  // namespace
}  // namespace concerto
