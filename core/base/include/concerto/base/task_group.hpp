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
  /// A coroutine that starts after another one has ended can take its place, which costs less than
  /// a start. `spares_max` places are kept for that; while there are any, the io_context
  /// has work, until the group is closed.
  explicit TaskGroup(Executor executor, std::size_t spares_max = 0)
      : executor_(executor), emptied_(std::move(executor)), spares_max_(spares_max) {}
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
  /// What runs one coroutine after the other.
  struct Place {
    TaskGroup* group = nullptr;  ///< null: the group is gone
    asio::cancellation_signal signal;
    Task<void> next;
    Completion<bool> spare;  ///< destroyed before the signal, to which its coroutine refers
  };
  using Places = std::list<Place>;

  static Task<void> run(Places::iterator place, Task<void> first);
  bool become_spare(Places::iterator place);
  void close_to_new();
  void end_here();
  void ended(Places::iterator place, const std::exception_ptr& error);

  Executor executor_;
  Notifier emptied_;
  Places running_;
  Places spares_;
  std::size_t spares_max_;
  bool closing_ = false;
  std::shared_ptr<TaskGroup*> cancels_later_;  ///< for a cancellation that was posted
};

}  // namespace concerto
