#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/detached.hpp>

#include <concerto/engine/coordinator.hpp>
#include <concerto/persist/memory_store.hpp>

#include "fake_clock.hpp"
#include "scripted_branches.hpp"

namespace concerto::test {

/// A span with texts of its own.
struct RecordedSpan {
  Span span;  ///< its views are empty
  std::string name;
  std::string gid;
  std::string branch_id;
  std::string url;
  std::string result;
  std::string error;
};

/// Keeps log lines.
class RecordingObserver final : public Observer {
 public:
  void log(LogLevel level, std::string_view gid, std::string_view text) override {
    lines.push_back(std::string(gid) + ": " + std::string(text));
    if (level >= LogLevel::warn) warnings.push_back(lines.back());
  }
  void log_in_trace(LogLevel level, std::string_view gid, const TraceId& trace,
                    std::string_view text) override {
    traced_lines.push_back(trace.str() + " " + std::string(text));
    log(level, gid, text);
  }
  void span_ended(const Span& span) override {
    RecordedSpan recorded{span,
                          std::string(span.name),
                          std::string(span.gid),
                          std::string(span.branch_id),
                          std::string(span.url),
                          std::string(span.result),
                          std::string(span.error)};
    recorded.span.name = recorded.span.gid = recorded.span.mode = recorded.span.branch_id = {};
    recorded.span.url = recorded.span.result = recorded.span.error = {};
    spans.push_back(std::move(recorded));
  }
  bool logs(LogLevel) const noexcept override { return true; }
  void branch_in_trouble(const BranchTrouble& trouble) override {
    troubles.push_back(std::string(trouble.url) + " " + std::to_string(trouble.retry_count));
    last_trouble = trouble.error;
  }
  void pass_ended(const Transaction& trans, bool without_error) override {
    passes.push_back(trans.gid.str() + (without_error ? " ok" : " error"));
  }
  void transaction_ended(const Transaction& trans) override {
    ended.push_back(trans.gid.str() + " " + std::string(to_string(trans.status)));
  }
  void lease_lost(const Gid& gid) override { leases_lost.push_back(gid.str()); }
  void call_past_lease(const BranchCall& call) override {
    calls_past_lease.push_back(std::string(call.op) + " " + std::string(call.branch_id));
  }

  std::vector<std::string> lines;
  std::vector<std::string> ended;     ///< `<gid> <status>`
  std::vector<std::string> warnings;  ///< the lines that LogLevel: warn shows
  std::vector<std::string> troubles;  ///< `<url> <retry count>`
  std::string last_trouble;           ///< its text
  std::vector<std::string> passes;    ///< `<gid> ok` or `<gid> error`
  std::vector<std::string> leases_lost;
  std::vector<std::string> traced_lines;  ///< `<trace> <text>`
  std::vector<RecordedSpan> spans;
  std::vector<std::string> calls_past_lease;  ///< `<op> <branch_id>`
};

/// The value of a coroutine, empty until the coroutine has ended.
template <class T>
using Pending = std::shared_ptr<std::optional<T>>;

/// A coordinator on one shard with virtual time, a memory store that outlives it, and branches.
class CoordinatorWorld {
 public:
  CoordinatorWorld(Store& store, FakeClock& clock, BranchCaller& branches,
                   CoordinatorOptions options = {})
      : clock_(clock),
        coordinator_({ShardPorts{io_.get_executor(), timers_, branches, random_, observer_}}, store,
                     clock, options) {}

  /// A coordinator with the test's own modes.
  CoordinatorWorld(Store& store, FakeClock& clock, BranchCaller& branches, const ModeTable& modes)
      : clock_(clock),
        coordinator_({ShardPorts{io_.get_executor(), timers_, branches, random_, observer_}}, store,
                     clock, {}, modes) {}

  /// Ends the coordinator as an orderly stop does.
  ~CoordinatorWorld() {
    if (!crashed_) stop();
  }

  Coordinator& coordinator() { return coordinator_; }
  RecordingObserver& observer() { return observer_; }
  Executor executor() { return io_.get_executor(); }
  Timers& timers() { return timers_; }
  RandomSource& random() { return random_; }

  template <class T>
  Pending<T> start(Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    asio::co_spawn(
        io_,
        [](Task<T> inner, Pending<T> out) -> Task<void> {
          out->emplace(co_await std::move(inner));
        }(std::move(task), result),
        asio::detached);
    run();
    return result;
  }

  /// Runs everything that can run now.
  void run() {
    io_.restart();
    io_.poll();
  }

  /// Runs at most `count` of the handlers that can run now. After that the world stands still
  /// between two of them.
  void run_some(std::size_t count) {
    io_.restart();
    while (count-- > 0 && io_.poll_one() > 0) {
    }
  }

  /// For several worlds whose clocks move together: time of the earliest timer, and its function.
  SteadyTime earliest_timer() const noexcept { return timers_.earliest(); }
  void run_due() {
    timers_.run_due();
    run();
  }

  /// Moves time forward, timer by timer.
  void advance(std::chrono::nanoseconds by) {
    const SteadyTime end = clock_.steady_now() + by;
    run();
    while (timers_.earliest() <= end) {
      clock_.advance(std::max(timers_.earliest() - clock_.steady_now(), SteadyTime::duration{}));
      timers_.run_due();
      run();
    }
    clock_.advance(end - clock_.steady_now());
    run();
  }

  void stop() {
    bool stopped = false;
    asio::co_spawn(io_, coordinator_.stop(clock_.steady_now()),
                   [&stopped](const std::exception_ptr&) { stopped = true; });
    for (int round = 0; !stopped && round < 1000; ++round) {
      timers_.run_due();
      run();
    }
  }

  /// Simulates a kill: nothing is ended, and running work stays as it is, unreachable for the rest
  /// of the test. The store simulates the kill with its own `crash`.
  static void crash(std::unique_ptr<CoordinatorWorld> world) {
    world->crashed_ = true;
    static auto* graveyard = new std::vector<std::unique_ptr<CoordinatorWorld>>();
    graveyard->push_back(std::move(world));
  }

 private:
  asio::io_context io_{1};
  FakeClock& clock_;
  Timers timers_{io_.get_executor(), clock_};
  SeededRandom random_{1};
  RecordingObserver observer_;
  Coordinator coordinator_;
  bool crashed_ = false;
};

/// A saga of `steps` steps with URLs `a1`, `c1`, ..., or a msg with only actions.
inline TransRequest make_request(const std::string& gid, const std::string& type, int steps) {
  TransRequest request;
  request.gid = Gid(gid);
  request.trans_type = type;
  for (int i = 1; i <= steps; ++i) {
    const std::string n = std::to_string(i);
    request.steps.push_back({"a" + n, type == "saga" ? "c" + n : ""});
    request.payloads.push_back("payload " + n);
  }
  return request;
}

}  // namespace concerto::test
