#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <thread>
#include <utility>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Whether another thread runs the io_context now. Takes about 20 ms if none does.
CONCERTO_EXPORT bool is_run_by_another_thread(const Executor& executor);

/// Runs the io_contexts on this thread until `ended`, which is asked after each round; `idle` is
/// called whenever nothing can run for the moment. False: the io_contexts are out of work, and
/// `ended` still says no. Handlers of others run too. For destructors: no other thread runs these
/// io_contexts.
CONCERTO_EXPORT bool run_until(std::span<const Executor> executors,
                               const std::function<bool()>& ended,
                               const std::function<void()>& idle);

/// Asserts that one thread at a time runs an io_context: the objects of a shard have no locks.
/// Another thread may go on with the io_context when the first one has left it.
class CONCERTO_EXPORT ThreadCheck {
 public:
  explicit ThreadCheck(Executor executor) : executor_(std::move(executor)) {}

  /// Called where objects of the shard are used. Cheap unless the thread has changed.
  void check() {
    if (last_.load(std::memory_order_relaxed) != std::this_thread::get_id()) changed();
  }

 private:
  void changed();

  Executor executor_;
  std::atomic<std::thread::id> last_;
};

}  // namespace concerto
