#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/event_queue.hpp>

namespace concerto {

/// The streams of events of one coordinator. Thread-safe.
class EventHub {
 public:
  std::shared_ptr<EventQueue> open(std::size_t unread_max);
  void tell(TransEvent event);
  /// Whether anybody has a stream. Cheap.
  bool has_streams() const noexcept { return has_queues_.load(std::memory_order_relaxed); }
  /// Ends all streams, also those that are opened later.
  void close();

 private:
  /// Of the streams that somebody has; forgets the others.
  std::vector<std::shared_ptr<EventQueue>> open_queues() CONCERTO_REQUIRES(mutex_);

  Mutex mutex_;
  std::vector<std::weak_ptr<EventQueue>> queues_ CONCERTO_GUARDED_BY(mutex_);
  bool is_closed_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::atomic<bool> has_queues_ = false;  ///< read without the lock
};

}  // namespace concerto
