#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/base/notifier.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/host_resolver.hpp>

#include "fake_clock.hpp"

namespace concerto::net::test {

using concerto::test::FakeClock;
using concerto::test::SeededRandom;

/// Keeps the lines that are logged.
class LogRecorder final : public Observer {
 public:
  void log(LogLevel level, std::string_view, std::string_view text) override {
    lines_.emplace_back(level, text);
  }
  bool logs(LogLevel) const noexcept override { return true; }

  std::size_t count(LogLevel level) const {
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(), [level](const auto& line) { return line.first == level; }));
  }

  bool has(std::string_view part) const {
    return std::any_of(lines_.begin(), lines_.end(), [part](const auto& line) {
      return line.second.find(part) != std::string::npos;
    });
  }

 private:
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// Answers from a table after one turn of the executor. While it is held, it answers only after its
/// release.
class ScriptedResolver final : public HostResolver {
 public:
  explicit ScriptedResolver(Executor executor) : executor_(executor), released_(executor) {
    set("localhost", {"127.0.0.1"});
  }

  void set(const std::string& host, const std::vector<std::string>& addresses) {
    HostAddressList list;
    for (const auto& text : addresses) list.push_back(asio::ip::make_address(text));
    known_[host] = std::move(list);
  }
  void forget(const std::string& host) { known_.erase(host); }

  void hold() { held_ = true; }
  void release() {
    held_ = false;
    released_.notify_all();
  }

  int asked(const std::string& host) const {
    const auto count = asked_.find(host);
    return count == asked_.end() ? 0 : count->second;
  }

  Async<HostAddressList> resolve(std::string host) override {
    ++asked_[host];
    while (held_) {
      if (!co_await released_.wait()) co_return cancelled();
    }
    co_await asio::post(executor_, use_task);
    const auto found = known_.find(host);
    if (found != known_.end()) co_return found->second;
    co_return Error{asio::error::host_not_found, "lookup " + host + ": Host not found"};
  }

 private:
  static Error cancelled() { return Error{asio::error::operation_aborted, "cancelled"}; }

  Executor executor_;
  Notifier released_;
  std::map<std::string, HostAddressList> known_;
  std::map<std::string, int> asked_;
  bool held_ = false;
};

/// One shard with a fake clock. A test runs it until a condition holds.
class DiscoveryTest : public testing::Test {
 protected:
  /// Runs the shard until `condition` holds. The fake clock stands still.
  void run_until(const std::function<bool()>& condition) {
    // Only a failing test comes near this limit.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "the condition did not come true";
      if (io_.stopped()) io_.restart();
      // With a fake clock no system timer runs the timers that are due. They must run on the shard,
      // as usual: a timer run from elsewhere would cancel a wait that has ended already.
      asio::post(io_, [this] { timers_.run_due(); });
      io_.run_one();
      io_.run_one_for(std::chrono::milliseconds{20});
    }
  }

  /// Runs the handlers that are ready now.
  void poll() {
    io_.restart();
    io_.poll();
  }

  void advance(std::chrono::nanoseconds by) {
    clock_.advance(by);
    timers_.run_due();
    poll();
  }

  template <class T>
  T await(Task<T> task) {
    std::optional<T> value;
    asio::co_spawn(io_, std::move(task), [&value](const std::exception_ptr& error, T result) {
      if (error) std::rethrow_exception(error);
      value.emplace(std::move(result));
    });
    run_until([&value] { return value.has_value(); });
    return std::move(*value);
  }

  void await(Task<void> task) {
    bool ended = false;
    asio::co_spawn(io_, std::move(task), [&ended](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
      ended = true;
    });
    run_until([&ended] { return ended; });
  }

  asio::io_context io_{1};
  FakeClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  SeededRandom random_{7};
  LogRecorder observer_;
  ScriptedResolver resolver_{io_.get_executor()};
  DiscoveryShard shard_{io_.get_executor(), timers_, random_, resolver_, observer_};
};

}  // namespace concerto::net::test
