#pragma once

#include <cstddef>
#include <list>

#include <boost/asio/cancellation_signal.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/notifier.hpp>

namespace concerto {

/// Owns the coroutines that an object starts: it can cancel and join them.
///
/// Make it the object's last member, so that its coroutines see everything alive, and close it
/// before the object dies. All calls on the executor's thread. An exception that leaves a
/// coroutine ends the process, unless the group is closing (cancellation on its way here).
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), emptied_(std::move(executor)) {}
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts a coroutine. False, and the coroutine is dropped, once the group is closing.
  bool spawn(Task<void> task);

  /// Takes no more coroutines, cancels those that run and returns when all have ended.
  Task<void> close();

  /// Takes no more coroutines and returns when all have ended by themselves.
  Task<void> join();

  /// Cancels every running coroutine; the group stays open.
  void cancel();

  std::size_t size() const noexcept { return running_.size(); }
  bool closing() const noexcept { return closing_; }

 private:
  using Running = std::list<asio::cancellation_signal>;

  void ended(Running::iterator task, const std::exception_ptr& error);

  Executor executor_;
  Notifier emptied_;
  Running running_;
  bool closing_ = false;
};

}  // namespace concerto
