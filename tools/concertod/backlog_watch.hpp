#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/ownership.hpp>

namespace concerto::tools {

/// Counts the unfinished transactions of all coordinators that share a store. The store is asked at
/// most every `interval`, and only while somebody scrapes the metrics. A scrape takes what was
/// counted last. The first scrape after a while has nothing that is new enough, and waits for the
/// count that it begins, but not for long. All calls are made on the executor of the timers and of
/// the group, which outlive the watch.
class BacklogWatch {
 public:
  static constexpr std::chrono::seconds interval{5};
  /// Nobody scrapes any more if the last scrape was so long ago.
  static constexpr std::chrono::seconds scrape_gap_max{120};
  /// An older count is not shown, nor any after the store has not answered: an absent number is
  /// better than a wrong one.
  static constexpr std::chrono::seconds age_max{10};
  static constexpr std::chrono::seconds wait_max{2};

  struct Counted {
    Backlog backlog;
    SteadyTime at{};
  };
  using Count = std::function<Async<Backlog>()>;

  BacklogWatch(Count count, Timers& timers, TaskGroup& tasks, const Executor& executor)
      : count_(std::move(count)), timers_(timers), tasks_(tasks), answered_(executor) {}

  /// What was counted last. Nullopt if that is too long ago, or if nothing was counted yet, and the
  /// store does not answer in time.
  Task<std::optional<Counted>> last() {
    asked_at_ = timers_.now();
    if (!runs_) {
      runs_ = is_asking_ = true;
      if (!tasks_.spawn(run())) runs_ = is_asking_ = false;
    }
    if (!is_fresh() && is_asking_) co_await wait_for_answer(asked_at_ + wait_max);
    if (!is_fresh()) co_return std::nullopt;
    co_return counted_;
  }

 private:
  bool is_fresh() const { return counted_ && timers_.now() - counted_->at <= age_max; }

  Task<void> wait_for_answer(SteadyTime until) {
    Timer timer(timers_, [this] { answered_.notify_all(); });
    timer.set(until);
    while (is_asking_ && timers_.now() < until) {
      const bool notified = co_await answered_.wait();
      if (!notified) co_return;
    }
  }

  Task<void> run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      is_asking_ = true;
      const SteadyTime begin = timers_.now();
      const Result<Backlog> answer = co_await count_();
      counted_.reset();
      if (answer) counted_ = Counted{*answer, begin};
      is_asking_ = false;
      answered_.notify_all();
      const bool goes_on = co_await sleep_until(timers_, timers_.now() + interval);
      if (!goes_on || timers_.now() - asked_at_ > scrape_gap_max) break;
    }
    runs_ = false;
  }

  const Count count_;
  Timers& timers_;
  TaskGroup& tasks_;
  Notifier answered_;
  std::optional<Counted> counted_;
  SteadyTime asked_at_{};
  bool runs_ = false;
  bool is_asking_ = false;  ///< the store has not answered yet
};

}  // namespace concerto::tools
