#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/coordinator.hpp>

namespace concerto::tools {

/// Counts the unfinished transactions of all coordinators that share a store. A scrape of the
/// metrics takes what was counted last, so it never waits for the store; the store is asked at
/// most every `interval`, and only while somebody scrapes. All calls are made on the executor of
/// the timers and of the group, which outlive the watch.
class BacklogWatch {
 public:
  static constexpr std::chrono::seconds interval{5};
  /// Nobody scrapes any more if the last scrape was so long ago.
  static constexpr std::chrono::seconds scrape_gap_max{120};

  struct Counted {
    Backlog backlog;
    SteadyTime at{};
  };

  BacklogWatch(Coordinator& coordinator, Timers& timers, TaskGroup& tasks)
      : coordinator_(coordinator), timers_(timers), tasks_(tasks) {}

  /// What was counted last; nullopt before the first answer of the store. Begins to count, if
  /// nothing counts now.
  std::optional<Counted> last() {
    asked_at_ = timers_.now();
    if (!std::exchange(is_counting_, true) && !tasks_.spawn(count())) is_counting_ = false;
    return counted_;
  }

 private:
  Task<void> count() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      const SteadyTime begin = timers_.now();
      Result<Backlog> answer = co_await coordinator_.backlog();
      if (answer) counted_ = Counted{*answer, begin};
      const bool goes_on = co_await sleep_until(timers_, timers_.now() + interval);
      if (!goes_on || timers_.now() - asked_at_ > scrape_gap_max) break;
    }
    is_counting_ = false;
  }

  Coordinator& coordinator_;
  Timers& timers_;
  TaskGroup& tasks_;
  std::optional<Counted> counted_;
  SteadyTime asked_at_{};
  bool is_counting_ = false;
};

}  // namespace concerto::tools
