#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// A transaction was created, or has another status, and that is durable.
struct TransEvent {
  Gid gid;
  TransType type = TransType::saga;
  TransStatus status = TransStatus::prepared;
  /// How many events before this one were dropped, because too many were unread.
  std::uint64_t dropped = 0;
};

/// The events of one TransEvents. Thread-safe.
class CONCERTO_EXPORT EventQueue {
 public:
  explicit EventQueue(std::size_t unread_max) : unread_max_(unread_max) {}

  /// Gives the event to whoever waits, or keeps it. If there is no room, the oldest one is dropped.
  void push(TransEvent event);
  /// Ends what waits, now and later, with Errc::shutting_down, once the events are read.
  void close();

  std::uint64_t new_waiter_id();
  /// Completes `waiter` with the oldest event, now or later.
  void wait(std::uint64_t id, Completion<Result<TransEvent>> waiter);
  /// Ends one wait with asio::error::operation_aborted, unless it has ended.
  void cancel(std::uint64_t id);

 private:
  struct Waiter {
    std::uint64_t id;
    Completion<Result<TransEvent>> completion;
  };

  const std::size_t unread_max_;
  Mutex mutex_;
  std::deque<TransEvent> unread_ CONCERTO_GUARDED_BY(mutex_);
  std::deque<Waiter> waiters_ CONCERTO_GUARDED_BY(mutex_);
  std::uint64_t dropped_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_id_ CONCERTO_GUARDED_BY(mutex_) = 0;
  bool is_closed_ CONCERTO_GUARDED_BY(mutex_) = false;
};

}  // namespace concerto
