#include <concerto/base/assert.hpp>
#include <concerto/base/notifier.hpp>

namespace concerto {

Notifier::~Notifier() {
  CONCERTO_ASSERT(waiters_.empty());
}

Task<bool> Notifier::wait() {
  const auto start = [this](Completion<bool> completion) { add(std::move(completion)); };
  return suspend<bool>(start);
}

void Notifier::notify_one() {
  if (!waiters_.empty()) resume(waiters_.begin(), true);
}

void Notifier::notify_all() {
  while (!waiters_.empty()) resume(waiters_.begin(), true);
}

void Notifier::add(Completion<bool> completion) {
  const std::uint64_t id = next_id_++;
  auto slot = completion.cancellation_slot();
  waiters_.push_back({id, std::move(completion)});
  if (slot.is_connected()) {
    slot.assign([this, id](asio::cancellation_type) { cancel(id); });
  }
}

void Notifier::cancel(std::uint64_t id) {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end(); ++waiter) {
    if (waiter->id == id) return resume(waiter, false);
  }
}

void Notifier::resume(Waiters::iterator waiter, bool notified) {
  Completion<bool> completion = std::move(waiter->completion);
  waiters_.erase(waiter);
  if (auto slot = completion.cancellation_slot(); slot.is_connected()) slot.clear();
  asio::post(executor_,
             [completion = std::move(completion), notified]() mutable { completion(notified); });
}

}  // namespace concerto
