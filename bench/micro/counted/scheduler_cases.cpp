// Timers, alarms, and the way between shards.

#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "alarms.hpp"
#include "counted_case.hpp"
#include "still_clock.hpp"

namespace concerto::bench {
namespace {

/// Sets a timer that becomes due while other timers wait.
template <std::size_t sleeping>
class TimerCase final : public CountedCase {
 public:
  TimerCase() {
    for (std::size_t i = 0; i < sleeping; ++i) {
      sleepers_.push_back(std::make_unique<Timer>(timers_, [] {}));
      sleepers_.back()->set(clock_.steady_now() + std::chrono::hours(1) +
                            std::chrono::milliseconds(i * 7919 % 100'000));
    }
  }

  bool run(std::size_t count) override {
    std::size_t fired = 0;
    Timer timer(timers_, [&fired] { ++fired; });
    for (std::size_t i = 0; i < count; ++i) {
      timer.set(clock_.steady_now() + std::chrono::microseconds(1));
      clock_.advance(std::chrono::microseconds(1));
      timers_.run_due();
    }
    return fired == count;
  }

 private:
  asio::io_context io_{1};
  StillClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  std::vector<std::unique_ptr<Timer>> sleepers_;
};

/// A transaction begins to wait and is woken while others wait.
template <std::size_t waiting>
class AlarmCase final : public CountedCase {
 public:
  AlarmCase() {
    for (std::size_t i = 0; i < waiting; ++i) {
      const Gid gid = gid_of("waits", i);
      alarms_.add(gid, TransType::saga, WallTime{});
      alarms_.set_next_pass(gid, SteadyTime{} + std::chrono::hours(1) +
                                     std::chrono::milliseconds(i * 7919 % 100'000));
    }
  }

  bool run(std::size_t count) override {
    std::size_t woken = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Gid gid = gid_of("wakes", i);
      const SteadyTime at = SteadyTime{} + std::chrono::microseconds(i + 1);
      alarms_.add(gid, TransType::saga, WallTime{});
      alarms_.set_next_pass(gid, at);
      if (alarms_.pop_due(at)) ++woken;
      alarms_.remove(gid);
    }
    return woken == count;
  }

 private:
  /// As long as generated gids.
  static Gid gid_of(std::string_view what, std::size_t number) {
    std::string text(what);
    text += "-transact-0000000";
    for (std::size_t at = text.size(); number > 0; number /= 10) {
      text[--at] = static_cast<char>('0' + number % 10);
    }
    return Gid(std::move(text));
  }

  Alarms alarms_;
};

/// A coroutine asks another shard, which answers. One thread runs both shards.
class MailboxCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    std::size_t answers = 0;
    TaskGroup tasks(here_.get_executor());
    tasks.spawn(ask(count, answers));
    while (tasks.size() > 0) {
      here_.poll();
      there_.poll();
    }
    return answers == count;
  }

 private:
  Task<void> ask(std::size_t count, std::size_t& answers) {
    for (std::size_t i = 0; i < count; ++i) {
      const Executor there = there_.get_executor();
      answers += co_await on_shard(there, answer());
    }
  }
  static Task<std::size_t> answer() { co_return 1; }

  asio::io_context here_{1};
  asio::io_context there_{1};
  asio::executor_work_guard<Executor> work_here_{here_.get_executor()};
  asio::executor_work_guard<Executor> work_there_{there_.get_executor()};
};

}  // namespace

std::vector<CountedRow> scheduler_cases() {
  return {{"timer/1", 20'000, make_case<TimerCase<1>>},
          {"timer/1000000", 20'000, make_case<TimerCase<1'000'000>>},
          {"alarm/1", 20'000, make_case<AlarmCase<1>>},
          {"alarm/1000000", 20'000, make_case<AlarmCase<1'000'000>>},
          {"mailbox", 20'000, make_case<MailboxCase>}};
}

}  // namespace concerto::bench
