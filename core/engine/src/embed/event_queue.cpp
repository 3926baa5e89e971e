#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/error.hpp>

#include <concerto/engine/event_queue.hpp>

namespace concerto {
namespace {

Error closed() {
  return make_error(Errc::shutting_down, "the coordinator has ended, and with it the events");
}

}  // namespace

void EventQueue::push(TransEvent event) {
  Completion<Result<TransEvent>> waiter;
  {
    const MutexLock lock(mutex_);
    if (is_closed_) return;
    if (waiters_.empty()) {
      unread_.push_back(std::move(event));
      if (unread_.size() <= unread_max_) return;
      dropped_ += 1;
      unread_.pop_front();
      return;
    }
    waiter = std::move(waiters_.front().completion);
    waiters_.pop_front();
    event.dropped = std::exchange(dropped_, 0);
  }
  waiter(std::move(event));
}

void EventQueue::close() {
  std::deque<Waiter> waiters;
  {
    const MutexLock lock(mutex_);
    is_closed_ = true;
    waiters.swap(waiters_);
  }
  for (Waiter& waiter : waiters) waiter.completion(closed());
}

std::uint64_t EventQueue::new_waiter_id() {
  const MutexLock lock(mutex_);
  return next_id_++;
}

void EventQueue::wait(std::uint64_t id, Completion<Result<TransEvent>> waiter) {
  std::optional<Result<TransEvent>> found;
  {
    const MutexLock lock(mutex_);
    if (!unread_.empty()) {
      unread_.front().dropped = std::exchange(dropped_, 0);
      found.emplace(std::move(unread_.front()));
      unread_.pop_front();
    } else if (is_closed_) {
      found.emplace(closed());
    } else {
      waiters_.push_back({id, std::move(waiter)});
    }
  }
  if (found) waiter(std::move(*found));
}

void EventQueue::cancel(std::uint64_t id) {
  Completion<Result<TransEvent>> waiter;
  {
    const MutexLock lock(mutex_);
    const auto found = std::find_if(waiters_.begin(), waiters_.end(),
                                    [id](const Waiter& other) { return other.id == id; });
    if (found == waiters_.end()) return;
    waiter = std::move(found->completion);
    waiters_.erase(found);
  }
  waiter(Error{asio::error::operation_aborted, "nobody waits for the event any more"});
}

}  // namespace concerto
