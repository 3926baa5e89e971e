#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include "coordinator_world.hpp"

namespace concerto::test {

using Caller = std::function<Task<BranchReply>(BranchCall)>;

struct OwnBranches final : BranchCaller {
  explicit OwnBranches(Caller own) : caller(std::move(own)) {}
  Task<BranchReply> call(BranchCall call) override {
    ++calls;
    return caller(call);
  }
  Caller caller;
  int calls = 0;
};

inline Task<BranchReply> succeeds() {
  co_return BranchReply{Outcome::success, {}};
}

inline Task<BranchReply> throws_later() {
  const Executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, use_task);
  throw std::runtime_error("no connection");
}

/// As the coroutines of other programs wait: the timer throws when it is cancelled.
inline Task<BranchReply> waits_for_an_hour() {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await timer.async_wait(use_task);
  co_return BranchReply{Outcome::success, {}};
}

struct ThrowingObserver final : Observer {
  void log(LogLevel, std::string_view, std::string_view text) override {
    lines.emplace_back(text);
    if (log_throws) throw std::runtime_error("no disk");
  }
  bool logs(LogLevel) const noexcept override { return true; }
  void branch_called(const BranchCall&, const BranchReply&, std::chrono::nanoseconds) override {
    throw std::runtime_error("no metric");
  }
  void pass_ended(const Transaction&, bool) override { throw 1; }
  void transaction_ended(const Transaction&) override { throw std::bad_alloc(); }

  bool log_throws = false;
  std::vector<std::string> lines;
};

/// A coordinator as an embedder makes one.
struct Embedded {
  explicit Embedded(Caller caller) : branches(std::move(caller)) {}

  Pending<Result<>> submit(const std::string& type, bool concurrent = false) {
    TransRequest request = make_request("g", type, 2);
    request.options.wait_result = true;
    request.options.concurrent = concurrent;
    return submit(std::move(request));
  }
  Pending<Result<>> submit(TransRequest request) {
    return start(coordinator->submit(std::move(request)));
  }
  Pending<Result<>> prepare(const std::string& type) {
    return start(coordinator->prepare(make_request("g", type, 0)));
  }
  Pending<Result<>> register_branch(BranchRequest request) {
    return start(coordinator->register_branch(std::move(request)));
  }
  Pending<Result<>> start(Async<> task) {
    const auto result = std::make_shared<std::optional<Result<>>>();
    asio::co_spawn(io, std::move(task), [result](const std::exception_ptr& thrown, Result<> ended) {
      EXPECT_FALSE(thrown);
      result->emplace(std::move(ended));
    });
    run();
    return result;
  }
  /// A coordinator on another store.
  void open(Store& other) {
    coordinator = std::make_unique<Coordinator>(
        std::vector<ShardPorts>{{io.get_executor(), timers, branches, random, observer}}, other,
        clock, CoordinatorOptions{});
  }
  void run() {
    io.restart();
    io.poll();
  }
  bool stops() {
    bool stopped = false;
    asio::co_spawn(io, coordinator->stop(clock.steady_now()),
                   [&](const std::exception_ptr&) { stopped = true; });
    for (int i = 0; i < 10 && !stopped; ++i) {
      run();
      timers.run_due();
      clock.advance(std::chrono::milliseconds(100));
    }
    return stopped;
  }
  static error_code code_of(const Pending<Result<>>& result) {
    return result->value().has_value() ? error_code{} : result->value().error().code;
  }

  asio::io_context io{1};
  FakeClock clock;
  Timers timers{io.get_executor(), clock};
  SeededRandom random{1};
  ThrowingObserver observer;
  OwnBranches branches;
  persist::MemoryStore store;
  std::unique_ptr<Coordinator> coordinator = std::make_unique<Coordinator>(
      std::vector<ShardPorts>{{io.get_executor(), timers, branches, random, observer}}, store,
      clock, CoordinatorOptions{});
};

}  // namespace concerto::test
