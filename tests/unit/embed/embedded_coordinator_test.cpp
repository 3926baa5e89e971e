#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/append.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

namespace concerto::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

/// A saga of the steps `out` and `in`.
TransRequest transfer(Gid gid) {
  TransRequest saga;
  saga.gid = std::move(gid);
  saga.trans_type = "saga";
  saga.steps = {{"out", "out-undone"}, {"in", ""}};
  saga.payloads = {"30", "30"};
  saga.options.wait_result = true;
  return saga;
}

asio::awaitable<void> waits_for_an_hour() {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await timer.async_wait(asio::use_awaitable);
}

/// Writes down what the engine says.
struct Lines final : Observer {
  void log(LogLevel, std::string_view, std::string_view text) override { all.emplace_back(text); }
  bool logs(LogLevel level) const noexcept override { return level >= LogLevel::warn; }
  std::vector<std::string> all;
};

struct EmbeddedTest : testing::Test {
  EmbeddedTest() {
    branches.add("out", [this](const LocalCall&) { called.emplace_back("out"); });
    branches.add("out-undone", [this](const LocalCall&) { called.emplace_back("out-undone"); });
    branches.add("in", [this](const LocalCall&) { called.emplace_back("in"); });
  }
  void run() {
    io.restart();
    io.poll();
  }
  auto keeps_result() {
    return [this](Result<> ended) { result = std::move(ended); };
  }
  error_code code() const { return *result ? error_code() : result->error().code; }

  asio::io_context io{1};
  persist::MemoryStore store{persist::MemoryStore::Crash::keeps_progress,
                             persist::MemoryStore::Answers::posted};
  Lines lines;
  std::vector<std::string> called;
  LocalBranches branches;
  std::optional<Result<>> result;
};

asio::awaitable<void> use(EmbeddedCoordinator& coordinator, std::vector<TransStatus>& statuses) {
  const Gid gid = coordinator.new_gid();
  const Result<> submitted = co_await coordinator.submit(transfer(gid));
  const Result<std::optional<Transaction>> found =
      co_await coordinator.query(gid, asio::use_awaitable);
  if (submitted && found && *found) statuses.push_back((*found)->status);
  const Result<> stopped = co_await coordinator.stop(seconds(1), asio::deferred);
  if (stopped) statuses.push_back(TransStatus::prepared);
}

TEST_F(EmbeddedTest, IsAwaitedInACoroutineOfAsio) {
  EmbeddedCoordinator coordinator{io, store, branches};
  std::vector<TransStatus> statuses;
  asio::co_spawn(io, use(coordinator, statuses), asio::detached);
  io.run();
  EXPECT_THAT(statuses, ElementsAre(TransStatus::succeed, TransStatus::prepared));
  EXPECT_THAT(called, ElementsAre("out", "in"));
}

TEST_F(EmbeddedTest, TellsAFunction) {
  EmbeddedCoordinator coordinator{io, store, branches};
  bool unique = false;
  coordinator.submit(transfer(Gid("g")), [&unique, only = std::make_unique<int>(1)](
                                             Result<> ended) { unique = ended && *only == 1; });
  EXPECT_FALSE(unique);
  run();
  EXPECT_TRUE(unique);
}

template <class Executor>
void expect_works_on(const Executor& executor, std::size_t threads) {
  persist::MemoryStore store;
  LocalBranches branches;
  std::atomic<int> called = 0;
  branches.add("out", [&](const LocalCall&) { ++called; });
  branches.add("out-undone", [&](const LocalCall&) { ++called; });
  branches.add("in", [&](LocalCall) -> asio::awaitable<void> {
    ++called;
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [](auto handler) { asio::post(std::move(handler)); }, asio::use_awaitable);
  });
  EmbeddedOptions options;
  options.threads = threads;
  EmbeddedCoordinator coordinator(executor, store, branches, options);
  EXPECT_TRUE(coordinator.recovered(asio::use_future).get().has_value());
  std::vector<std::future<Result<>>> transfers;
  for (int i = 0; i < 20; ++i) {
    transfers.push_back(coordinator.submit(transfer(coordinator.new_gid()), asio::use_future));
  }
  for (auto& ended : transfers) EXPECT_TRUE(ended.get().has_value());
  EXPECT_EQ(called, 40);
}

TEST(Embedded, WorksOnAnyExecutor) {
  asio::thread_pool pool(2);
  expect_works_on(pool.get_executor(), 0);
  expect_works_on(asio::make_strand(pool), 0);
  expect_works_on(asio::any_io_executor(pool.get_executor()), 2);
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([&io] { io.run(); });
  expect_works_on(io.get_executor(), 2);  // Several threads may run the executor of the branches.
  work.reset();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(EmbeddedTest, RollsBackAfterAFailure) {
  branches.add("in", [](const LocalCall& call) -> asio::awaitable<BranchReply> {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(BranchReply)>(
        [](auto handler, BranchReply reply) {
          asio::post(asio::append(std::move(handler), std::move(reply)));
        },
        asio::use_awaitable, local_failure("no account for " + std::string(call.payload)));
  });
  EmbeddedCoordinator coordinator{io, store, branches};
  coordinator.submit(transfer(Gid("g")), keeps_result());
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(code(), EngineErrc::trans_failed);
  EXPECT_EQ(result->error().detail, "url:in return failed: no account for 30 FAILURE");
  EXPECT_THAT(called, ElementsAre("out", "out-undone"));
}

TEST_F(EmbeddedTest, CallsABranchThatHasThrownAgain) {
  bool works = false;
  branches.add("in", [&](const LocalCall&) {
    if (!works) throw std::runtime_error("no disk");
  });
  EmbeddedOptions options;
  options.observer = &lines;
  EmbeddedCoordinator coordinator{io, store, branches, options};
  coordinator.submit(transfer(Gid("g")), keeps_result());
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(code(), EngineErrc::result_not_success);
  works = true;
  coordinator.retry_now(Gid("g"), keeps_result());
  run();
  EXPECT_TRUE(result->has_value());
  std::optional<TransStatus> status;
  coordinator.query(Gid("g"), [&](const Result<std::optional<Transaction>>& found) {
    status = (*found)->status;
  });
  run();
  EXPECT_EQ(status, TransStatus::succeed);
}

TEST_F(EmbeddedTest, RefusesABranchThatItDoesNotHave) {
  EmbeddedCoordinator coordinator{io, store, branches};
  TransRequest request = transfer(Gid("g"));
  request.steps[1].action = "inn";
  coordinator.submit(request, keeps_result());
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(code(), Errc::invalid_request);
  EXPECT_EQ(result->error().detail, "steps[1].action: this process has no branch 'inn'");
}

struct Elsewhere final : BranchCaller {
  Task<BranchReply> call(BranchCall call) override {
    called.emplace_back(call.url);
    co_return BranchReply{Outcome::success, {}};
  }
  std::vector<std::string> called;
};

TEST_F(EmbeddedTest, CallsOthersForOtherUrls) {
  Elsewhere elsewhere;
  {
    EmbeddedCoordinator coordinator{io, store, branches.otherwise(elsewhere)};
    TransRequest request = transfer(Gid("g"));
    request.steps[1].action = "http://bank/in";
    coordinator.submit(request, keeps_result());
    run();
  }
  EXPECT_TRUE(result && *result);
  EXPECT_THAT(elsewhere.called, ElementsAre("http://bank/in"));
  EmbeddedCoordinator coordinator{io, store, elsewhere};
  coordinator.submit(transfer(Gid("h")), keeps_result());
  run();
  EXPECT_TRUE(*result);
  EXPECT_THAT(elsewhere.called, ElementsAre("http://bank/in", "out", "in"));
}

TEST_F(EmbeddedTest, IsDestroyedWithoutHavingRun) {
  EmbeddedCoordinator coordinator{io, store, branches};
}

TEST_F(EmbeddedTest, EndsRequestsThatHaveNotBegun) {
  {
    EmbeddedCoordinator coordinator{io, store, branches};
    coordinator.submit(transfer(Gid("g")), keeps_result());
  }
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(code(), Errc::shutting_down);
}

TEST_F(EmbeddedTest, CancelsABranchAtItsEndAndGoesOnInTheNextRun) {
  branches.add("in", [](const LocalCall&) { return waits_for_an_hour(); });
  {
    EmbeddedCoordinator coordinator{io, store, branches};
    coordinator.submit(transfer(Gid("g")), keeps_result());
    run();
    EXPECT_FALSE(result);
  }
  run();
  ASSERT_TRUE(result);
  EXPECT_EQ(code(), Errc::shutting_down);
  branches.add("in", [this](const LocalCall&) { called.emplace_back("in"); });
  EmbeddedCoordinator coordinator{io, store, branches};
  coordinator.recovered(keeps_result());
  run();
  EXPECT_TRUE(*result);
  EXPECT_THAT(called, ElementsAre("out", "in"));
}

TEST(Embedded, EndsWhileOtherThreadsRunIt) {
  persist::MemoryStore store;
  LocalBranches branches;
  std::promise<void> begun;
  branches.add("out", [](const LocalCall&) {}).add("out-undone", [](const LocalCall&) {});
  branches.add("in", [&](const LocalCall&) {
    begun.set_value();
    return waits_for_an_hour();
  });
  asio::thread_pool pool(2);
  std::optional<EmbeddedCoordinator> coordinator(std::in_place, pool, store, branches);
  auto result = coordinator->submit(transfer(Gid("g")), asio::use_future);
  begun.get_future().wait();
  coordinator.reset();
  EXPECT_EQ(result.get().error().code, Errc::shutting_down);
  pool.join();
}

asio::awaitable<void> follow(TransEvents events, std::vector<std::string>& seen) {
  for (;;) {
    const Result<TransEvent> event = co_await events.next();
    if (!event) co_return seen.push_back(event.error().code.message());
    seen.push_back(event->gid.str() + " " + std::string(to_string(event->status)));
  }
}

TEST_F(EmbeddedTest, TellsChangesOfStatus) {
  branches.add("in", [](const LocalCall&) { return local_failure("no"); });
  EmbeddedCoordinator coordinator{io, store, branches};
  std::vector<std::string> seen;
  asio::co_spawn(io, follow(coordinator.events(), seen), asio::detached);
  coordinator.submit(transfer(Gid("g")), keeps_result());
  TransRequest msg = transfer(Gid("m"));
  msg.trans_type = "msg";
  msg.steps = {{"out", ""}};
  coordinator.prepare(msg, keeps_result());
  run();
  coordinator.submit(msg, keeps_result());
  run();
  EXPECT_THAT(seen, testing::UnorderedElementsAre("g submitted", "g aborting", "g failed",
                                                  "m prepared", "m submitted", "m succeed"));
  seen.clear();
  coordinator.stop(seconds(0), keeps_result());
  io.restart();
  io.run();  // Nothing keeps the io_context.
  EXPECT_THAT(seen, ElementsAre(make_error_code(Errc::shutting_down).message()));
  EXPECT_TRUE(*result);
}

}  // namespace
}  // namespace concerto::test
