#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/base/io_thread.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/base/start_thread.hpp>

namespace concerto {
namespace {

/// A thread that runs the io_context takes what is posted within this time, unless its handler
/// takes longer.
constexpr std::chrono::milliseconds answer_wait{20};
constexpr std::chrono::milliseconds idle_wait{10};

struct Probe {
  Mutex mutex;
  ConditionVariable taken;
  bool is_taken CONCERTO_GUARDED_BY(mutex) = false;
};

/// Whether no other thread has one for the same io_context.
class AloneIn {
 public:
  explicit AloneIn(const asio::io_context& io) : io_(&io) {
    const MutexLock lock(mutex());
    is_alone = taken().insert(io_).second;
  }
  ~AloneIn() {
    const MutexLock lock(mutex());
    taken().erase(io_);
  }
  AloneIn(const AloneIn&) = delete;
  AloneIn& operator=(const AloneIn&) = delete;

  bool is_alone = false;

 private:
  static Mutex& mutex() {
    static Mutex& made = *new Mutex;
    return made;
  }
  static std::set<const asio::io_context*>& taken() {
    static auto& made = *new std::set<const asio::io_context*>;
    return made;
  }

  const asio::io_context* io_;
};

}  // namespace

bool is_run_by_another_thread(const Executor& executor) {
  if (executor.context().stopped()) return false;
  const auto probe = std::make_shared<Probe>();
  const auto take = [probe] {
    const MutexLock lock(probe->mutex);
    probe->is_taken = true;
    probe->taken.notify_one();
  };
  // From a thread of its own: what a handler of io_context{1} posts is kept for its own thread.
  std::thread posts;
  if (!start_thread(posts, "that checks a shard", [&] { asio::post(executor, take); }))
    return false;
  posts.join();
  // This thread does not run the function meanwhile.
  const auto end = std::chrono::steady_clock::now() + answer_wait;
  UniqueLock lock(probe->mutex);
  while (!probe->is_taken && probe->taken.wait_until(lock, end)) {
  }
  return probe->is_taken;
}

bool run_until(std::span<const Executor> executors, const std::function<bool()>& ended,
               const std::function<void()>& idle) {
  std::vector<asio::io_context*> stopped;
  for (const Executor& executor : executors) {
    if (executor.context().stopped()) stopped.push_back(&executor.context());
  }
  bool has_ended = ended();
  bool has_work = true;
  while (!has_ended && has_work) {
    bool has_run = false;
    has_work = false;
    for (const Executor& executor : executors) {
      asio::io_context& io = executor.context();
      if (io.stopped()) io.restart();
      has_run |= io.poll_one() > 0;
      has_work |= !io.stopped();
    }
    has_ended = ended();
    if (has_run || has_ended) {
      has_work = true;
      continue;
    }
    idle();
    if (has_work) executors.front().context().run_one_for(idle_wait);
    has_ended = ended();
  }
  for (asio::io_context* io : stopped) io->stop();
  return has_ended;
}

void ThreadCheck::changed() {
  if (!executor_.running_in_this_thread()) return;
  const auto before = last_.exchange(std::this_thread::get_id(), std::memory_order_relaxed);
  if (before == std::thread::id{}) return;
  // If all threads of an io_context are here, none of them answers another one.
  const AloneIn alone(executor_.context());
  CONCERTO_ASSERT(alone.is_alone && !is_run_by_another_thread(executor_) &&
                  "the io_context of a shard is run by one thread; use a shard for each thread");
}

}  // namespace concerto
