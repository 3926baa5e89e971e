// What embedders do although it is wrong, or throw although nobody should.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

namespace concerto::test {
namespace {

struct Mistakes : testing::Test {
  static TransRequest one_step(const char* gid) {
    TransRequest saga;
    saga.gid = Gid(gid);
    saga.trans_type = "saga";
    saga.steps = {{"step", ""}};
    saga.payloads = {"a payload that is too long for a string without memory of its own"};
    saga.options.wait_result = true;
    return saga;
  }
  void run() {
    io.restart();
    io.poll();
  }
  auto keeps_result() {
    return [this](Result<> ended) { result = std::move(ended); };
  }

  asio::io_context io{1};
  persist::MemoryStore store;
  LocalBranches branches;
  std::optional<Result<>> result;
};

TEST_F(Mistakes, ARequestThatThrowsAnythingIsAnswered) {
  EmbeddedCoordinator coordinator{io, store, branches};
  const auto at_once = [](Coordinator&) -> Async<> { throw 42; };
  coordinator.ask(at_once, keeps_result());
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().detail, "the request threw no std::exception");
  result.reset();
  const auto later = [](Coordinator&) -> Async<> {
    throw 42;
    co_return ok();
  };
  coordinator.ask(later, keeps_result());
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, Errc::invalid_request);
}

/// A branch takes its call as the functions in the guide do.
struct ByReference {
  asio::awaitable<void> operator()(const LocalCall& call) const {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(0));
    co_await timer.async_wait(asio::use_awaitable);
    *seen = call.payload;
  }
  std::shared_ptr<std::string> seen = std::make_shared<std::string>();
};

TEST_F(Mistakes, ACoroutineMayTakeItsCallByReference) {
  const ByReference branch;
  branches.add("step", branch);
  EmbeddedCoordinator coordinator{io, store, branches};
  coordinator.submit(one_step("g"), keeps_result());
  while (!result) io.run_one();
  EXPECT_TRUE(*result);
  EXPECT_EQ(*branch.seen, one_step("g").payloads[0]);
}

asio::awaitable<void> works_until_it_is_woken(std::optional<asio::steady_timer>& work) {
  work.emplace(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await work->async_wait(asio::as_tuple(asio::use_awaitable));
}

TEST_F(Mistakes, ACancellationEndsTheWaitingAndNotTheRequest) {
  asio::cancellation_signal waits;
  std::optional<asio::steady_timer> work;
  branches.add("step", [&](const LocalCall&) { return works_until_it_is_woken(work); });
  EmbeddedCoordinator coordinator{io, store, branches};
  coordinator.submit(one_step("g"), asio::bind_cancellation_slot(waits.slot(), keeps_result()));
  run();
  ASSERT_TRUE(work);
  waits.emit(asio::cancellation_type::total);  // Something has happened.
  run();
  EXPECT_FALSE(result);
  waits.emit(asio::cancellation_type::terminal);
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, asio::error::operation_aborted);
  waits.emit(asio::cancellation_type::terminal);  // There is nobody any more.
  work->cancel();
  run();
  std::optional<TransStatus> status;
  coordinator.query(Gid("g"), [&](const Result<std::optional<Transaction>>& found) {
    status = (*found)->status;
  });
  run();
  EXPECT_EQ(status, TransStatus::succeed);
}

TEST_F(Mistakes, TheLongestGraceIsNone) {
  std::optional<asio::steady_timer> work;
  branches.add("step", [&](const LocalCall&) { return works_until_it_is_woken(work); });
  EmbeddedCoordinator coordinator{io, store, branches};
  std::optional<Result<>> stopped;
  coordinator.submit(one_step("g"), keeps_result());
  run();
  coordinator.stop(std::chrono::milliseconds::max(),
                   [&](Result<> ended) { stopped = std::move(ended); });
  run();
  EXPECT_FALSE(stopped);
  ASSERT_TRUE(work);
  work->cancel();
  run();
  EXPECT_TRUE(stopped);
}

template <class F>
concept Asked = requires(EmbeddedCoordinator& coordinator, F&& request) {
  coordinator.ask(std::forward<F>(request));
};

TEST(MistakesInCompiling, ATemporaryThatOwnsSomethingHasANameFirst) {
  [[maybe_unused]] auto owns = [gid = std::string("g")](Coordinator& c) {
    return c.query(Gid(gid));
  };
  [[maybe_unused]] auto owns_nothing = [](Coordinator& c) { return c.backlog(); };
  static_assert(!Asked<decltype(owns)>);
  static_assert(Asked<decltype(owns)&>);
  static_assert(Asked<decltype(owns_nothing)>);
}

struct MistakesDeathTest : Mistakes {
  MistakesDeathTest() { testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
  void destroy_in_a_branch() {
    std::optional<EmbeddedCoordinator> coordinator;
    branches.add("step", [&](const LocalCall&) { coordinator.reset(); });
    coordinator.emplace(io, store, branches);
    coordinator->submit(one_step("g"), keeps_result());
    run();
  }
  void read_what_was_moved_away() {
    EmbeddedCoordinator coordinator{io, store, branches};
    TransEvents events = coordinator.events();
    const TransEvents others = std::move(events);
    events.next([](const Result<TransEvent>&) {});  // NOLINT: that is the mistake
  }
  void run_without_an_executor() { EmbeddedCoordinator{asio::any_io_executor(), store, branches}; }
};

TEST_F(MistakesDeathTest, ASentenceSaysWhatIsWrong) {
  EXPECT_DEATH(destroy_in_a_branch(), "a branch does not destroy the coordinator that calls it");
  EXPECT_DEATH(read_what_was_moved_away(), "these TransEvents were moved to another object");
  EXPECT_DEATH(run_without_an_executor(), "the executor of an EmbeddedCoordinator is not empty");
}

}  // namespace
}  // namespace concerto::test
