// A coordinator on two shards, each with a thread of its own. Requests for one gid come from both.

#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

#include "coordinator_world.hpp"
#include "embedded.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {
namespace {

class MachineClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

/// Answers at once: with success, or with failure if the URL says so.
class QuickBranches final : public BranchCaller {
 public:
  Task<BranchReply> call(BranchCall call) override {
    ++calls;
    co_return reply_of(call.url.ends_with("/refuses") ? Outcome::failure : Outcome::success);
  }
  int calls = 0;
};

class SilentObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

struct TestShard {
  explicit TestShard(const Clock& clock, std::uint64_t seed)
      : timers(io.get_executor(), clock), random(seed), work(io.get_executor()) {}

  void start() {
    thread = std::thread([this] { io.run(); });
  }
  ShardPorts ports() { return {io.get_executor(), timers, branches, random, observer}; }

  asio::io_context io{1};
  Timers timers;
  QuickBranches branches;
  SeededRandom random;
  SilentObserver observer;
  asio::executor_work_guard<Executor> work;
  std::thread thread;
};

class CoordinatorThreads : public testing::Test {
 protected:
  void SetUp() override {
    for (auto* shard : {&one_, &other_}) shard->start();
  }
  void TearDown() override {
    const SteadyTime deadline = clock_.steady_now() + std::chrono::seconds(10);
    asio::co_spawn(one_.io, coordinator_.stop(deadline), asio::use_future).get();
    for (auto* shard : {&one_, &other_}) {
      asio::post(shard->io, [shard] { shard->timers.disarm(); });
      shard->work.reset();
      shard->thread.join();
    }
  }

  template <class T>
  std::future<T> start(TestShard& shard, Task<T> task) {
    return asio::co_spawn(shard.io, std::move(task), asio::use_future);
  }
  Transaction stored(const std::string& gid) {
    return start(one_, coordinator_.query(Gid(gid))).get().value().value();
  }

  MachineClock clock_;
  persist::MemoryStore store_{persist::MemoryStore::Crash::keeps_progress,
                              persist::MemoryStore::Answers::posted};
  TestShard one_{clock_, 1};
  TestShard other_{clock_, 2};
  Coordinator coordinator_{{one_.ports(), other_.ports()}, store_, clock_, {}};
};

TEST_F(CoordinatorThreads, EitherTheSubmitOrTheAbortSucceeds) {
  constexpr int transactions = 300;
  for (int i = 0; i < transactions; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_TRUE(start(one_, coordinator_.prepare(make_request(gid, "tcc", 0))).get());
    auto submitted = start(one_, coordinator_.submit(make_request(gid, "tcc", 0)));
    auto aborted = start(other_, coordinator_.abort(make_request(gid, "tcc", 0)));
    const bool went_forward = submitted.get().has_value();
    EXPECT_NE(went_forward, aborted.get().has_value()) << gid;
    const TransStatus status = stored(gid).status;
    EXPECT_TRUE(went_forward ? status == TransStatus::submitted || status == TransStatus::succeed
                             : status == TransStatus::aborting || status == TransStatus::failed);
  }
}

TEST_F(CoordinatorThreads, OperatorsMayAskWhileTransactionsRun) {
  std::vector<std::future<Result<>>> submits;
  for (int i = 0; i < 500; ++i) {
    auto request = make_request("g" + std::to_string(i), "saga", 2);
    request.options.wait_result = true;
    if (i % 7 == 0) request.steps[1].action = "b/refuses";
    TestShard& shard = i % 2 == 0 ? one_ : other_;
    submits.push_back(start(shard, coordinator_.submit(std::move(request))));
    coordinator_.in_flight();
    if (i % 50 == 0) {
      start(other_, coordinator_.oldest_unfinished()).get();
      start(one_, coordinator_.set_limits({})).get();
      start(one_, coordinator_.inspect(Gid("g" + std::to_string(i / 2)))).get();
    }
  }
  int failed = 0;
  for (auto& submit : submits) failed += submit.get().has_value() ? 0 : 1;
  EXPECT_EQ(failed, 72);
  const InFlight left = coordinator_.in_flight();
  EXPECT_EQ(left.unfinished[static_cast<std::size_t>(TransType::saga)], 0U);
}

Task<int> fill(Store& store, int transactions) {
  int stored = 0;
  for (int i = 0; i < transactions; ++i) {
    Transaction trans = sample_saga("g" + std::to_string(i));
    trans.waits = true;
    trans.next_cron_time = WallTime::max();
    Change change = create(trans);
    if (co_await store.commit(std::move(change))) ++stored;
  }
  co_return stored;
}

Task<void> recover(Coordinator& coordinator) {
  ignore_error(co_await coordinator.recover(), "the store is in memory");
}

Task<int> answer() {
  co_return 1;
}

/// Stops while recovery reads page after page, as concertod does if a port is taken.
Task<void> stop_early(Coordinator& coordinator, TaskGroup& background, Executor other, int hops,
                      SteadyTime deadline) {
  background.spawn(recover(coordinator));
  for (int i = 0; i < hops; ++i) co_await on_shard(other, answer());
  co_await background.close();
  co_await coordinator.stop(deadline);
}

TEST(CoordinatorStart, AStopDuringRecoveryUsesNoDestroyedObject) {
  constexpr int transactions = 2'500;  // three pages
  constexpr int rounds = 60;
  const MachineClock clock;
  persist::MemoryStore store;
  {
    asio::io_context io{1};
    auto stored = asio::co_spawn(io, fill(store, transactions), asio::use_future);
    io.run();
    ASSERT_EQ(stored.get(), transactions);
  }
  for (int round = 0; round < rounds; ++round) {
    TestShard one{clock, 1}, other{clock, 2};
    Coordinator coordinator{{one.ports(), other.ports()}, store, clock, {}};
    TaskGroup background{one.io.get_executor()};
    for (auto* shard : {&one, &other}) shard->start();
    const SteadyTime deadline = clock.steady_now() + std::chrono::seconds(10);
    auto stopping =
        stop_early(coordinator, background, other.io.get_executor(), round % 12, deadline);
    asio::co_spawn(one.io, std::move(stopping), asio::use_future).get();
    for (auto* shard : {&one, &other}) {
      asio::post(shard->io, [shard] { shard->timers.disarm(); });
      shard->work.reset();
      shard->thread.join();
    }
  }
}

TEST(CoordinatorDestructor, WaitsForTheThreadThatRunsItsShard) {
  Embedded embedded([](const BranchCall&) { return waits_for_an_hour(); });
  const auto result = embedded.submit("saga");
  ASSERT_FALSE(result->has_value());
  auto work = asio::make_work_guard(embedded.io);
  std::promise<void> runs;
  asio::post(embedded.io, [&runs] { runs.set_value(); });
  embedded.io.restart();
  std::thread thread([&embedded] { embedded.io.run(); });
  runs.get_future().get();
  embedded.coordinator.reset();
  embedded.io.stop();
  thread.join();
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ(Embedded::code_of(result), Errc::shutting_down);
}

}  // namespace
}  // namespace concerto::test
