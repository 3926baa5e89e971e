#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/base/task_group.hpp>

namespace concerto {

TaskGroup::~TaskGroup() {
  CONCERTO_ASSERT(running_.empty());
}

bool TaskGroup::spawn(Task<void> task) {
  if (closing_) return false;
  const auto entry = running_.emplace(running_.end());
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(
          entry->slot(), [this, entry](const std::exception_ptr& error) { ended(entry, error); }));
  return true;
}

void TaskGroup::cancel() {
  // A cancellation never resumes a coroutine in place, so the list does not change in this loop.
  for (auto& signal : running_) signal.emit(asio::cancellation_type::all);
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

void TaskGroup::ended(Running::iterator task, const std::exception_ptr& error) {
  if (error && !closing_) std::rethrow_exception(error);
  running_.erase(task);
  if (running_.empty()) emptied_.notify_all();
}

}  // namespace concerto
