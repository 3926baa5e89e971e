#pragma once

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
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

template <class T, class Handler>
Completion<T> posted(Handler handler, const asio::any_io_executor& otherwise) {
  return Completion<T>(PostedHandler<T, Handler>(std::move(handler), otherwise));
}

}  // namespace concerto::detail
