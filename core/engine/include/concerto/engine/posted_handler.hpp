#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <concerto/base/async.hpp>

namespace concerto::detail {

/// What a completion token has become, so that the shards can call it: the handler runs on its own
/// executor, which has work until then. Without an executor of its own it runs on `otherwise`.
template <class T, class Handler>
class PostedHandler {
 public:
  PostedHandler(Handler handler, const asio::any_io_executor& otherwise)
      : work_(asio::make_work_guard(handler, otherwise)), handler_(std::move(handler)) {}

  void operator()(T value) && {
    asio::post(
        work_.get_executor(), [handler = std::move(handler_), value = std::move(value)]() mutable {
          if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.clear();
          }
          std::move(handler)(std::move(value));
        });
  }

 private:
  asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
  Handler handler_;
};

/// Of an answer and a cancellation, the first completes. On any thread. T is a Result.
template <class T>
class FirstEnd {
 public:
  explicit FirstEnd(Completion<T> completion) : completion_(std::move(completion)) {}
  void end(T value) {
    if (!has_ended_.test_and_set()) completion_(std::move(value));
  }

 private:
  std::atomic_flag has_ended_;
  Completion<T> completion_;
};

/// `completion` with the answer, or with operation_aborted once `slot` is told so.
template <class T>
Completion<T> cancellable(Completion<T> completion, asio::cancellation_slot slot) {
  auto first = std::make_shared<FirstEnd<T>>(std::move(completion));
  slot.assign([waits = std::weak_ptr(first)](asio::cancellation_type type) {
    constexpr auto ends = asio::cancellation_type::terminal | asio::cancellation_type::partial;
    const auto waiting = waits.lock();
    if (waiting == nullptr || (type & ends) == asio::cancellation_type::none) return;
    waiting->end(Error{asio::error::operation_aborted,
                       "nobody waits for the answer any more; the request goes on"});
  });
  return Completion<T>([first](T value) { first->end(std::move(value)); });
}

template <class T, class Handler>
Completion<T> posted(Handler handler, const asio::any_io_executor& otherwise) {
  return Completion<T>(PostedHandler<T, Handler>(std::move(handler), otherwise));
}

}  // namespace concerto::detail
