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
  close_to_new();
  cancel();
  const auto ended = [this] { return running_.empty(); };
  if (run_until({&executor_, 1}, ended, [this] { cancel(); })) return;
  // Nothing will ever resume the others. Their frames, which the io_context or whatever they wait
  // for may still have, refer to their signals.
  for (Place& place : running_) place.group = nullptr;
  static Mutex mutex;
  static auto& left = *new std::list<Places>;
  const MutexLock lock(mutex);
  left.push_back(std::move(running_));
}

bool TaskGroup::spawn(Task<void> task) {
  if (closing_) return false;
  if (!spares_.empty() && executor_.running_in_this_thread()) {
    Place& place = spares_.front();
    running_.splice(running_.end(), spares_, spares_.begin());
    place.next = std::move(task);
    Completion<bool> resume = std::move(place.spare);
    resume(true);
    return true;
  }
  const auto place = running_.emplace(running_.end());
  place->group = this;
  if (spares_max_ > 0) task = run(place, std::move(task));
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(place->signal.slot(), [place](const std::exception_ptr& error) {
        TaskGroup* const group = place->group;
        if (group != nullptr) group->ended(place, error);
      }));
  return true;
}

/// Runs `first`, and then whatever takes its place.
Task<void> TaskGroup::run(Places::iterator place, Task<void> first) {
  place->next = std::move(first);
  const auto wait = [place](Completion<bool> spare) { place->spare = std::move(spare); };
  for (bool goes_on = true; goes_on;) {
    Task<void> task = std::move(place->next);
    co_await std::move(task);
    // The next coroutine begins as the first one did, whatever this one has asked for.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    co_await asio::this_coro::throw_if_cancelled(true);
    co_await asio::this_coro::reset_cancellation_state();
    if (place->group == nullptr || !place->group->become_spare(place)) co_return;
    goes_on = co_await suspend<bool>(wait);
  }
}

/// False if the place is not kept.
bool TaskGroup::become_spare(Places::iterator place) {
  if (closing_ || spares_.size() >= spares_max_) return false;
  spares_.splice(spares_.begin(), running_, place);
  if (running_.empty()) emptied_.notify_all();
  return true;
}

void TaskGroup::close_to_new() {
  closing_ = true;
  spares_.clear();
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
  for (Place& place : running_) place.signal.emit(asio::cancellation_type::all);
}

Task<void> TaskGroup::close() {
  close_to_new();
  cancel();
  co_await join();
}

Task<void> TaskGroup::join() {
  close_to_new();
  while (!running_.empty()) co_await emptied_.wait();
}

void TaskGroup::ended(Places::iterator place, const std::exception_ptr& error) {
  if (error && !closing_) std::rethrow_exception(error);
  running_.erase(place);
  if (running_.empty()) emptied_.notify_all();
}

}  // namespace concerto
