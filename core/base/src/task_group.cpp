#include <exception>
#include <list>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>

#include <concerto/base/io_thread.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/base/task_group.hpp>

namespace concerto {

TaskGroup::~TaskGroup() {
  if (!running_.empty()) end_here();
  if (cancels_later_ != nullptr) *cancels_later_ = nullptr;
}

void TaskGroup::end_here() {
  closing_ = true;
  cancel();
  const auto ended = [this] { return running_.empty(); };
  if (run_until({&executor_, 1}, ended, [this] { cancel(); })) return;
  // Nothing will ever resume the others. Their frames, which the io_context or whatever they wait
  // for may still have, refer to their signals.
  for (Running& task : running_) task.group = nullptr;
  static Mutex mutex;
  static auto& left = *new std::list<Tasks>;
  const MutexLock lock(mutex);
  left.push_back(std::move(running_));
}

bool TaskGroup::spawn(Task<void> task) {
  if (closing_) return false;
  const auto entry = running_.emplace(running_.end());
  entry->group = this;
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(entry->signal.slot(), [entry](const std::exception_ptr& error) {
        TaskGroup* const group = entry->group;
        if (group != nullptr) group->ended(entry, error);
      }));
  return true;
}

void TaskGroup::cancel() {
  if (!executor_.running_in_this_thread()) {
    // Outside of a handler Asio posts a cancellation with a pointer to a signal that may be gone
    // when the post runs (Boost 1.81, co_spawn).
    if (!cancels_later_) cancels_later_ = std::make_shared<TaskGroup*>(this);
    asio::post(executor_, [group = cancels_later_] {
      if (*group != nullptr) (*group)->cancel();
    });
    return;
  }
  // A cancellation never resumes a coroutine in place, so the list does not change in this loop.
  for (Running& task : running_) task.signal.emit(asio::cancellation_type::all);
}

Task<void> TaskGroup::close() {
  closing_ = true;
  cancel();
  co_await join();
}

Task<void> TaskGroup::join() {
  closing_ = true;
  while (!running_.empty()) co_await emptied_.wait();
}

void TaskGroup::ended(Tasks::iterator task, const std::exception_ptr& error) {
  if (error && !closing_) std::rethrow_exception(error);
  running_.erase(task);
  if (running_.empty()) emptied_.notify_all();
}

}  // namespace concerto
