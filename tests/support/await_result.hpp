#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <concerto/base/async.hpp>

namespace concerto::test {

/// Runs `task` as a coroutine of `io`, runs `io` until the task has ended, and returns the task's
/// value. Other threads may post to `io` meanwhile.
template <class T>
T await_result(asio::io_context& io, Task<T> task) {
  std::optional<T> value;
  std::exception_ptr failure;
  bool ended = false;
  const auto work = asio::make_work_guard(io);
  asio::co_spawn(
      io,
      [](Task<T> inner, std::optional<T>& out) -> Task<void> {
        out.emplace(co_await std::move(inner));
      }(std::move(task), value),
      [&](std::exception_ptr error) {
        failure = std::move(error);
        ended = true;
      });
  io.restart();
  while (!ended) io.run_one();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

}  // namespace concerto::test
