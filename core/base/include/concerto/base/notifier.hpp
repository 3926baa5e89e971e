#pragma once

#include <cstdint>
#include <list>

#include <concerto/base/async.hpp>

namespace concerto {

/// Lets coroutines of one shard wait for something that another one announces.
///
/// Notifications are not stored: check the condition first, wait, and check it again. Waiters are
/// resumed by a post, never inside notify. Everything happens on the executor's thread; the
/// notifier must outlive its waiters.
class Notifier {
 public:
  explicit Notifier(Executor executor) : executor_(std::move(executor)) {}
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Returns true after a notification, false when the wait was cancelled.
  Task<bool> wait();

  void notify_one();
  void notify_all();

  bool has_waiters() const noexcept { return !waiters_.empty(); }

 private:
  struct Waiter {
    std::uint64_t id;
    Completion<bool> completion;
  };
  using Waiters = std::list<Waiter>;

  void add(Completion<bool> completion);
  void cancel(std::uint64_t id);
  void resume(Waiters::iterator waiter, bool notified);

  Executor executor_;
  Waiters waiters_;
  std::uint64_t next_id_ = 0;
};

}  // namespace concerto
