// The code of docs/embedding.md.
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

namespace concerto::test {
namespace {

struct Bank {
  int ann = 100;
  int ben = 0;
};

LocalBranches branches_of(Bank& bank) {
  LocalBranches branches;
  branches.add("out", [&bank](const LocalCall&) { bank.ann -= 30; });
  branches.add("out-undone", [&bank](const LocalCall&) { bank.ann += 30; });
  branches.add("in", [&bank](const LocalCall& call) {
    if (call.payload == "too much") return local_failure("Ben takes no more than 50");
    bank.ben += 30;
    return BranchReply{Outcome::success, {}};
  });
  return branches;
}

TransRequest transfer(Gid gid) {
  TransRequest saga;
  saga.gid = std::move(gid);
  saga.trans_type = "saga";
  saga.steps = {{"out", "out-undone"}, {"in", ""}};
  saga.payloads = {"30", "30"};
  saga.options.wait_result = true;
  return saga;
}

asio::awaitable<void> pay(EmbeddedCoordinator& coordinator, Result<>& paid) {
  paid = co_await coordinator.submit(transfer(coordinator.new_gid()));
}

TEST(EmbeddingGuide, BeginsWithASaga) {
  Bank bank;
  Result<> paid = make_error(Errc::not_supported, "");
  asio::io_context io{1};
  persist::MemoryStore store;
  EmbeddedCoordinator coordinator{io, store, branches_of(bank)};
  asio::co_spawn(io, pay(coordinator, paid), [&io](const std::exception_ptr&) { io.stop(); });
  io.run();
  EXPECT_TRUE(paid.has_value());
  EXPECT_EQ(bank.ann, 70);
}

TEST(EmbeddingGuide, RunsOnThreadsOfItsOwn) {
  Bank bank;
  persist::MemoryStore store;
  asio::thread_pool pool(4);
  EmbeddedCoordinator coordinator{pool, store, branches_of(bank)};
  std::future<Result<>> paid = coordinator.submit(transfer(Gid("rent")), asio::use_future);
  EXPECT_TRUE(paid.get().has_value());
  coordinator.stop(std::chrono::seconds{5}, asio::use_future).wait();
  EXPECT_EQ(bank.ben, 30);
}

asio::awaitable<BranchReply> ask_fraud_desk(LocalCall call) {
  asio::steady_timer desk(co_await asio::this_coro::executor, std::chrono::seconds{0});
  co_await desk.async_wait(asio::use_awaitable);
  if (call.payload == "30") co_return BranchReply{Outcome::success, {}};
  co_return local_failure("looks odd");
}

asio::awaitable<void> follow(TransEvents events, std::vector<std::string>& log) {
  for (;;) {
    const Result<TransEvent> event = co_await events.next();
    if (!event) co_return;  // The coordinator has ended.
    if (event->dropped > 0) log.push_back(std::to_string(event->dropped) + " events are missing");
    log.push_back(event->gid.str() + " is " + std::string(to_string(event->status)));
  }
}

TEST(EmbeddingGuide, HasCoroutinesAsBranchesAndFollowsStatuses) {
  Bank bank;
  std::vector<std::string> log;
  asio::io_context io{1};
  persist::MemoryStore store;
  LocalBranches branches = branches_of(bank);
  branches.add("in", ask_fraud_desk);
  EmbeddedCoordinator coordinator{io, store, branches};
  asio::co_spawn(io, follow(coordinator.events(100), log), [](const std::exception_ptr&) {});
  coordinator.submit(transfer(Gid("rent")), [&coordinator](const Result<>&) {
    coordinator.stop(std::chrono::seconds{5}, [](const Result<>&) {});
  });
  io.run();
  EXPECT_THAT(log, testing::ElementsAre("rent is submitted", "rent is succeed"));
}

}  // namespace
}  // namespace concerto::test
