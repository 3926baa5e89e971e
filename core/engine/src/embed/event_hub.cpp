#include "event_hub.hpp"

#include <utility>

namespace concerto {

std::shared_ptr<EventQueue> EventHub::open(std::size_t unread_max) {
  auto queue = std::make_shared<EventQueue>(unread_max);
  const MutexLock lock(mutex_);
  if (is_closed_) {
    queue->close();
  } else {
    queues_.push_back(queue);
    has_queues_ = true;
  }
  return queue;
}

void EventHub::tell(TransEvent event) {
  std::vector<std::shared_ptr<EventQueue>> queues;
  {
    const MutexLock lock(mutex_);
    queues = open_queues();
  }
  for (const auto& queue : queues) queue->push(event);
}

void EventHub::close() {
  std::vector<std::shared_ptr<EventQueue>> queues;
  {
    const MutexLock lock(mutex_);
    is_closed_ = true;
    queues = open_queues();
  }
  for (const auto& queue : queues) queue->close();
}

std::vector<std::shared_ptr<EventQueue>> EventHub::open_queues() {
  std::vector<std::shared_ptr<EventQueue>> queues;
  for (const auto& known : queues_) {
    if (auto queue = known.lock()) queues.push_back(std::move(queue));
  }
  queues_.assign(queues.begin(), queues.end());
  has_queues_ = !queues.empty();
  return queues;
}

}  // namespace concerto
