#pragma once

#include <cstdint>
#include <list>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Lets coroutines of one shard wait for an event that another coroutine announces.
///
/// Notifications are not stored, so check the condition, wait, and check the condition again. A
/// post resumes the waiting coroutines; they never run inside notify. Use a notifier only on its
/// executor's thread. It must outlive the coroutines that wait.
class CONCERTO_EXPORT Notifier {
 public:
  explicit Notifier(Executor executor) : executor_(std::move(executor)) {}
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Returns true after a notification, and false if the wait was cancelled.
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
