#pragma once

#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include <concerto/base/async.hpp>

namespace concerto {

/// Starts a coroutine of a shard from any code. `token` is a completion token of Asio for
/// `void(std::exception_ptr, T)`: a function, use_future, use_awaitable and others.
template <class T, class Token>
auto start(const Executor& shard, Task<T> task, Token&& token) {
  return asio::co_spawn(shard, std::move(task), std::forward<Token>(token));
}

/// A coroutine of a shard, to be awaited in a coroutine that has Asio's own executor. A
/// cancellation reaches it if both run on the shard; cancellation does not cross threads (see
/// on_shard).
template <class T>
asio::awaitable<T> as_awaitable(Executor shard, Task<T> task) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (here == asio::any_io_executor(shard)) {
    co_return co_await asio::co_spawn(shard, std::move(task), asio::use_awaitable);
  }
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::use_awaitable);
  co_return co_await asio::co_spawn(shard, std::move(task), std::move(token));
}

/// A coroutine that has Asio's own executor, to be awaited in a coroutine of a shard. It runs on
/// the shard, and is cancelled with its caller.
template <class T>
Task<T> as_task(asio::awaitable<T> other) {
  const Executor here = co_await asio::this_coro::executor;
  co_return co_await asio::co_spawn(here, std::move(other), use_task);
}

}  // namespace concerto
