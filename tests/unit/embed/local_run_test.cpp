// How the coordinator's call of a local branch ends: with its answer, at its deadline, or when it
// is cancelled.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <concerto/base/compose.hpp>

#include "fake_clock.hpp"
#include "local_caller.hpp"

namespace concerto::test {
namespace {

using std::chrono::seconds;

struct LocalRunTest : testing::Test {
  void call(const asio::any_io_executor& user, asio::cancellation_slot slot = {}) {
    caller.emplace(std::make_shared<const LocalBranches>(branches), user, io.get_executor(),
                   timers);
    request.gid = &gid;
    request.headers = &headers;
    request.url = "bank/out";
    request.payload = "30";
    request.deadline = clock.steady_now() + seconds(3);
    asio::co_spawn(io, caller->call(request),
                   asio::bind_cancellation_slot(
                       slot, [this](const std::exception_ptr& error, BranchReply answered) {
                         thrown = error != nullptr;
                         reply = std::move(answered);
                       }));
    run();
  }
  void run() {
    io.restart();
    io.poll();
  }
  /// A coroutine that waits for an hour, and says how that ended.
  auto waits() {
    return [this](LocalCall) -> asio::awaitable<void> { return wait_for_an_hour(*this); };
  }
  static asio::awaitable<void> wait_for_an_hour(LocalRunTest& test) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    try {
      co_await timer.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error& error) {
      test.was_cancelled = error.code() == asio::error::operation_aborted;
      throw;
    }
  }

  asio::io_context io{1};
  FakeClock clock;
  Timers timers{io.get_executor(), clock};
  LocalBranches branches;
  std::optional<LocalCaller> caller;
  const Gid gid{"g"};
  const std::map<std::string, std::string> headers;
  BranchCall request;
  std::optional<BranchReply> reply;
  bool thrown = false;
  bool was_cancelled = false;
};

TEST_F(LocalRunTest, PassesTheCallOn) {
  std::string seen;
  branches.add("bank/out", [&](const LocalCall& local) {
    seen = std::string(local.gid) + " " + std::string(local.payload);
    return local_failure("too little");
  });
  call(io.get_executor());
  EXPECT_EQ(seen, "g 30");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcome, Outcome::failure);
  EXPECT_EQ(reply->error.detail, "too little FAILURE");
}

TEST_F(LocalRunTest, RunsOnTheExecutorOfTheEmbedder) {
  asio::thread_pool pool(1);
  bool is_there = false;
  branches.add("bank/out", [&](const LocalCall&) {
    is_there = pool.get_executor().running_in_this_thread();
    return Outcome::ongoing;
  });
  call(pool.get_executor());
  pool.join();
  run();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcome, Outcome::ongoing);
  EXPECT_TRUE(is_there);
}

TEST_F(LocalRunTest, EndsAtItsDeadlineAndCancelsTheCoroutine) {
  branches.add("bank/out", waits());
  call(io.get_executor());
  EXPECT_FALSE(reply);
  clock.advance(seconds(3));
  timers.run_due();
  run();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcome, Outcome::error);
  EXPECT_EQ(reply->error.detail, "the branch has not ended in time");
  EXPECT_TRUE(was_cancelled);
}

TEST_F(LocalRunTest, EndsWhenItsCallerIsCancelled) {
  branches.add("bank/out", waits());
  asio::cancellation_signal signal;
  call(io.get_executor(), signal.slot());
  signal.emit(asio::cancellation_type::terminal);
  run();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcome, Outcome::error);
  EXPECT_TRUE(was_cancelled);
}

TEST_F(LocalRunTest, DropsAnAnswerThatComesTooLate) {
  asio::io_context user{1};
  branches.add("bank/out", [](const LocalCall&) { return Outcome::success; });
  call(user.get_executor());
  clock.advance(seconds(3));
  timers.run_due();
  run();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcome, Outcome::error);
  reply.reset();
  user.run();
  run();
  EXPECT_FALSE(reply);
}

TEST_F(LocalRunTest, PassesExceptionsOn) {
  branches.add("bank/out", [](const LocalCall&) { throw std::runtime_error("no"); });
  call(io.get_executor());
  EXPECT_TRUE(thrown);
  asio::io_context user{1};
  call(user.get_executor());
  thrown = false;
  user.run();
  run();
  EXPECT_TRUE(thrown);
}

TEST_F(LocalRunTest, WithoutAFunctionIsAnError) {
  call(io.get_executor());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error.detail, "this process has no branch 'bank/out'");
  EXPECT_FALSE(caller->way_of(Protocol::http, "bank/out"));
}

}  // namespace
}  // namespace concerto::test
