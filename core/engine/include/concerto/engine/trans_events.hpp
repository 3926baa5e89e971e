#pragma once

#include <memory>
#include <utility>

#include <boost/asio/deferred.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/event_queue.hpp>
#include <concerto/engine/posted_handler.hpp>

namespace concerto {

/// A stream of the changes that a coordinator makes to the statuses of transactions. Those of one
/// transaction are in order. Bounded: if nobody reads, the oldest events are dropped, and
/// TransEvent::dropped says how many. Only what happens after EmbeddedCoordinator::events is in it.
/// Move-only; may outlive the coordinator. One thread at a time uses it.
class CONCERTO_EXPORT TransEvents {
 public:
  TransEvents(std::shared_ptr<EventQueue> queue, asio::any_io_executor executor)
      : queue_(std::move(queue)), executor_(std::move(executor)) {}
  TransEvents(TransEvents&&) = default;
  TransEvents& operator=(TransEvents&& other) noexcept {
    std::swap(queue_, other.queue_);
    std::swap(executor_, other.executor_);
    return *this;
  }
  TransEvents(const TransEvents&) = delete;
  TransEvents& operator=(const TransEvents&) = delete;
  ~TransEvents() {
    if (queue_) queue_->close();
  }

  /// The next event, for a completion token of Asio for `void(Result<TransEvent>)`. Can be
  /// cancelled (asio::error::operation_aborted). Error shutting_down: the coordinator has ended,
  /// and every event is read.
  template <class Token = asio::deferred_t>
  auto next(Token&& token = Token{}) {
    CONCERTO_ASSERT(queue_ != nullptr && "these TransEvents were moved to another object");
    return asio::async_initiate<Token, void(Result<TransEvent>)>(Wait{}, token, queue_, executor_);
  }

 private:
  struct Wait {
    template <class Handler>
    void operator()(Handler handler, const std::shared_ptr<EventQueue>& queue,
                    const asio::any_io_executor& executor) const {
      const std::uint64_t id = queue->new_waiter_id();
      if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
        slot.assign([waits_in = std::weak_ptr(queue), id](asio::cancellation_type) {
          if (const auto waited_in = waits_in.lock()) waited_in->cancel(id);
        });
      }
      queue->wait(id, detail::posted<Result<TransEvent>>(std::move(handler), executor));
    }
  };

  std::shared_ptr<EventQueue> queue_;
  asio::any_io_executor executor_;
};

}  // namespace concerto
