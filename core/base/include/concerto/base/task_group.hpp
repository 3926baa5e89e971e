#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include <boost/asio/cancellation_signal.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/notifier.hpp>

namespace concerto {

/// Owns the coroutines that an object starts, and can cancel and join them.
///
/// Make the group the last member of the object, so that all other members outlive its coroutines,
/// and close the group before the object is destroyed. Make all calls on the executor's thread, or
/// while no thread runs the executor. An exception that leaves a coroutine ends the process, unless
/// the group is closing (then it is the cancellation).
class CONCERTO_EXPORT TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), emptied_(std::move(executor)) {}
  /// Cancels the coroutines that still run, and runs the io_context here until they have ended,
  /// with all else that can run in it meanwhile. Not called by a coroutine of the group.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts a coroutine. Once the group is closing, returns false and drops the coroutine.
  bool spawn(Task<void> task);

  /// Accepts no more coroutines, cancels the running ones and returns when all have ended.
  Task<void> close();

  /// Accepts no more coroutines and returns when all have ended by themselves.
  Task<void> join();

  /// Cancels every running coroutine; the group stays open. Outside of a handler of the executor,
  /// the next handlers that run there do this.
  void cancel();

  std::size_t size() const noexcept { return running_.size(); }
  bool closing() const noexcept { return closing_; }

 private:
  struct Running {
    TaskGroup* group = nullptr;  ///< null: the group is gone
    asio::cancellation_signal signal;
  };
  using Tasks = std::list<Running>;

  void end_here();
  void ended(Tasks::iterator task, const std::exception_ptr& error);

  Executor executor_;
  Notifier emptied_;
  Tasks running_;
  bool closing_ = false;
  std::shared_ptr<TaskGroup*> cancels_later_;  ///< for a cancellation that was posted
};

}  // namespace concerto
