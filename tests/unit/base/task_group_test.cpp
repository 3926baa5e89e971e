#include <stdexcept>

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <concerto/base/task_group.hpp>

namespace concerto {
namespace {

Task<void> wait_for(Notifier& notifier, int& notified, int& cancelled) {
  ++(co_await notifier.wait() ? notified : cancelled);
}

Task<void> wait_twice(Notifier& notifier, int& notified, int& cancelled) {
  co_await wait_for(notifier, notified, cancelled);
  co_await wait_for(notifier, notified, cancelled);
}

Task<void> close_group(TaskGroup& group) {
  co_await group.close();
}

TEST(TaskGroup, ForgetsTasksThatEndByThemselves) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor()};
  int notified = 0, cancelled = 0;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(group.spawn(wait_for(notifier, notified, cancelled)));
  io.poll();
  EXPECT_EQ(group.size(), 3U);
  notifier.notify_one();
  io.poll();
  EXPECT_EQ(notified, 1);
  notifier.notify_all();
  io.poll();
  EXPECT_EQ(notified, 3);
  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, CloseCancelsAndRefusesNewTasks) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor()};
  int notified = 0, cancelled = 0;
  group.spawn(wait_for(notifier, notified, cancelled));
  group.spawn(wait_for(notifier, notified, cancelled));
  io.poll();
  asio::co_spawn(io, close_group(group), asio::detached);
  io.restart();
  io.run();
  EXPECT_EQ(cancelled, 2);
  EXPECT_EQ(group.size(), 0U);
  EXPECT_FALSE(group.spawn(wait_for(notifier, notified, cancelled)));
}

TEST(TaskGroup, CancelledOutsideAHandlerLetsTasksEndFirst) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor()};
  int notified = 0, cancelled = 0;
  group.spawn(wait_for(notifier, notified, cancelled));
  io.poll();
  // The task ends before the cancellation comes. ASan sees what that would refer to.
  notifier.notify_all();
  group.cancel();
  io.poll();
  EXPECT_EQ(notified, 1);
  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, CancelledOutsideAHandlerMayBeGoneFirst) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  int notified = 0, cancelled = 0;
  {
    TaskGroup group{io.get_executor()};
    group.spawn(wait_for(notifier, notified, cancelled));
    io.poll();
    group.cancel();
    group.cancel();
    io.poll_one();
    io.poll_one();
    io.poll_one();
    group.cancel();
  }
  io.poll();
  EXPECT_EQ(cancelled, 1);
}

TEST(TaskGroup, DestroyedWithWorkInFlightCancelsIt) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  int notified = 0, cancelled = 0;
  {
    TaskGroup group{io.get_executor()};
    group.spawn(wait_for(notifier, notified, cancelled));
    group.spawn(wait_for(notifier, notified, cancelled));
    io.poll();
    io.stop();
  }
  EXPECT_EQ(cancelled, 2);
  EXPECT_TRUE(io.stopped());
}

/// Waits for what nobody does, and cannot be cancelled.
Task<void> never_ends(Completion<bool>& never) {
  const auto start = [&never](Completion<bool> completion) { never = std::move(completion); };
  co_await suspend<bool>(start);
}

TEST(TaskGroup, IsDestroyedBeforeATaskThatNothingCanResume) {
  Completion<bool> never;
  asio::io_context io{1};
  auto group = std::make_unique<TaskGroup>(io.get_executor());
  group->spawn(never_ends(never));
  io.poll();
  // Without other work for the io_context.
  never = {};
  group.reset();
  EXPECT_EQ(io.poll(), 0U);
}

template <class Start>
concept CanSuspend = requires(Start&& start) { suspend<bool>(std::forward<Start>(start)); };

struct StartsNothing {
  void operator()(Completion<bool>) const {}
};
static_assert(CanSuspend<StartsNothing&> && CanSuspend<const StartsNothing&>);
static_assert(!CanSuspend<StartsNothing>, "temporaries are destroyed twice by GCC 12");

Task<bool> runs_on(Executor executor) {
  co_return co_await asio::this_coro::executor == executor;
}

Task<void> hop(Executor here, Executor there, bool& done) {
  EXPECT_TRUE(co_await on_shard(there, runs_on(there)));
  EXPECT_TRUE(co_await runs_on(here));
  done = true;
}

TEST(OnShard, RunsOnTheOtherShardAndReturnsHere) {
  asio::io_context here{1}, there{1};
  bool done = false;
  asio::co_spawn(here, hop(here.get_executor(), there.get_executor(), done), asio::detached);
  while (!done) {
    here.restart(), here.poll();
    there.restart(), there.poll();
  }
}

Task<bool> waits_for(Notifier& notifier, bool& waiting) {
  waiting = true;
  co_return co_await notifier.wait();
}

Task<void> ask(Executor there, Notifier& notifier, bool& waiting, bool& answered) {
  answered = co_await on_shard(there, waits_for(notifier, waiting));
}

TEST(OnShard, KeepsACancelledCallerUntilTheOtherShardHasEnded) {
  asio::io_context here{1}, there{1};
  const auto run = [](asio::io_context& io) { io.restart(), io.poll(); };
  Notifier notifier{there.get_executor()};
  TaskGroup group{here.get_executor()};
  bool waiting = false, answered = false;
  group.spawn(ask(there.get_executor(), notifier, waiting, answered));
  run(here), run(there);
  ASSERT_TRUE(waiting);

  asio::co_spawn(here, close_group(group), asio::detached);
  run(here), run(there);
  EXPECT_TRUE(notifier.has_waiters());
  EXPECT_EQ(group.size(), 1U);

  notifier.notify_all();
  run(there), run(here), run(here);
  EXPECT_TRUE(answered);
  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, ATaskTakesThePlaceOfOneThatHasEnded) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor(), 1};
  int notified = 0, cancelled = 0;
  for (int i = 0; i < 3; ++i) {
    asio::post(io, [&] { group.spawn(wait_for(notifier, notified, cancelled)); });
    asio::post(io, [&] { group.spawn(wait_for(notifier, notified, cancelled)); });
    io.poll();
    EXPECT_EQ(group.size(), 2U);
    notifier.notify_all();
    io.poll();
    EXPECT_EQ(group.size(), 0U);
  }
  EXPECT_EQ(notified, 6);
  EXPECT_FALSE(io.stopped()) << "the place that is kept is no work";
  asio::co_spawn(io, close_group(group), asio::detached);
  io.run();
  EXPECT_FALSE(group.spawn(wait_for(notifier, notified, cancelled)));
}

TEST(TaskGroup, ATaskBeginsAsTheFirstOneDid) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor(), 1};
  int notified = 0, cancelled = 0;
  const auto stubborn = []() -> Task<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  };
  group.spawn(stubborn());
  io.poll();
  EXPECT_EQ(group.size(), 0U);
  asio::post(io, [&] { group.spawn(wait_twice(notifier, notified, cancelled)); });
  io.poll();
  asio::co_spawn(io, close_group(group), asio::detached);
  io.run();
  EXPECT_EQ(cancelled, 1) << "the second wait throws";
}

TEST(TaskGroup, ACancelledTaskLeavesNoPlace) {
  asio::io_context io{1};
  Notifier notifier{io.get_executor()};
  TaskGroup group{io.get_executor(), 1};
  int notified = 0, cancelled = 0;
  for (int i = 0; i < 2; ++i) {
    asio::post(io, [&] { group.spawn(wait_for(notifier, notified, cancelled)); });
    io.poll();
    asio::post(io, [&] { group.cancel(); });
    io.restart();
    io.run();  // Returns, because no place is kept.
    io.restart();
    EXPECT_EQ(group.size(), 0U);
  }
  EXPECT_EQ(cancelled, 2);
}

TEST(TaskGroup, MayBeDestroyedWithPlacesThatAreKept) {
  asio::io_context io{1};
  {
    TaskGroup group{io.get_executor(), 2};
    for (int i = 0; i < 4; ++i) group.spawn([]() -> Task<void> { co_return; }());
    io.poll();
    EXPECT_EQ(group.size(), 0U);
  }
  io.run();
}

TEST(TaskGroup, AnErrorOfALaterTaskEndsTheProcessToo) {
  asio::io_context io{1};
  TaskGroup group{io.get_executor(), 1};
  group.spawn([]() -> Task<void> { co_return; }());
  io.poll();
  asio::post(io, [&] {
    group.spawn([]() -> Task<void> {
      throw std::runtime_error("oops");
      co_return;
    }());
  });
  EXPECT_THROW(io.poll(), std::runtime_error);
}

}  // namespace
}  // namespace concerto
