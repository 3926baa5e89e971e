#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <concerto/base/error.hpp>

namespace concerto {

namespace asio = boost::asio;

/// The executor of a shard. The type is concrete because a type-erased executor makes every step
/// slower.
using Executor = asio::io_context::executor_type;

/// A coroutine of one shard.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// A coroutine that ends in a value or an Error.
template <class T = void>
using Async = Task<Result<T>>;

/// The completion token of everything that is awaited.
inline constexpr asio::use_awaitable_t<Executor> use_task{};

/// Resumes one coroutine that `suspend` has suspended. Move-only. Call it at most once, on the
/// coroutine's shard. A Completion that is destroyed without a call destroys the coroutine too.
template <class T>
class Completion {
 public:
  Completion() = default;

  template <class Handler>
  explicit Completion(Handler handler) : node_(new Node<Handler>(std::move(handler))) {}

  explicit operator bool() const noexcept { return node_ != nullptr; }

  /// Resumes the coroutine before this call returns.
  void operator()(T value) { release()->complete(std::move(value)); }

  /// The slot that announces the cancellation of the suspended coroutine (see
  /// asio::cancellation_slot).
  asio::cancellation_slot cancellation_slot() const noexcept { return node_->slot(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void complete(T value) = 0;
    virtual asio::cancellation_slot slot() const noexcept = 0;
  };

  template <class Handler>
  struct Node final : Base {
    explicit Node(Handler h) : handler(std::move(h)) {}
    void complete(T value) override { std::move(handler)(std::move(value)); }
    asio::cancellation_slot slot() const noexcept override {
      return asio::get_associated_cancellation_slot(handler);
    }
    Handler handler;
  };

  std::unique_ptr<Base> release() noexcept { return std::move(node_); }

  std::unique_ptr<Base> node_;
};

/// Suspends the calling coroutine and passes its Completion<T> to `start`, which it moves from.
/// Objects that `start` refers to must outlive the await.
template <class T, class Start>
Task<T> suspend(Start& start) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Start begin) { begin(Completion<T>(std::move(handler))); }, use_task,
      std::move(start));
}

/// Give `start` a name first: GCC 12 destroys a temporary in an expression with co_await twice, and
/// with it what a lambda has captured.
template <class T, class Start>
Task<T> suspend(const Start&& start) = delete;

/// Runs a coroutine on another shard and returns its value to the calling shard. If `shard` is the
/// calling shard, this is a plain call.
///
/// Cancellation does not cross shards. A caller that is cancelled meanwhile waits until the
/// coroutine on the other shard has ended, and is cancelled at its next co_await. So the coroutine
/// on the other shard must end by itself.
template <class T>
Task<T> on_shard(Executor shard, Task<T> task) {
  const Executor here = co_await asio::this_coro::executor;
  if (here == shard) co_return co_await std::move(task);
  // A connected cancellation slot would give the other thread a pointer into memory of this thread,
  // and that memory may be freed before the pointer is used (Boost 1.81, asio issue 1332).
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot{}, use_task);
  co_return co_await asio::co_spawn(shard, std::move(task), std::move(token));
}

}  // namespace concerto
