#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include <concerto/base/async.hpp>

#include "engine.hpp"

namespace concerto {

/// Keeps the coordinator's destructor waiting while a coroutine refers to an engine.
class Use {
 public:
  explicit Use(Engine& engine) : uses_(&engine.uses()) { uses_->fetch_add(1); }
  Use(Use&& other) noexcept : uses_(std::exchange(other.uses_, nullptr)) {}
  Use& operator=(Use&&) = delete;
  ~Use() {
    if (uses_ != nullptr) uses_->fetch_sub(1);
  }

 private:
  std::atomic<std::size_t>* uses_;
};

/// As on_shard, on the shard of the engine. The engine counts as used until the coroutine has
/// ended.
template <class T>
Task<T> on_engine(Engine& engine, Task<T> task) {
  Use use(engine);
  const Executor here = co_await asio::this_coro::executor;
  if (here == engine.executor()) {
    engine.thread().check();
    co_return co_await std::move(task);
  }
  auto run = [use = std::move(use), task = std::move(task)]() mutable { return std::move(task); };
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot{}, use_task);
  co_return co_await asio::co_spawn(engine.executor(), std::move(run), std::move(token));
}

/// Tells the operator, on the shard of the engine, what the store refuses of a request about no
/// transaction in particular.
inline Task<void> tell_refusal(Engine& engine, Error error) {
  co_await on_engine(engine, engine.tell_refusal(std::move(error)));
}

}  // namespace concerto
