#pragma once

#include <atomic>
#include <future>
#include <thread>

#include <concerto/base/mutex.hpp>
#include <concerto/persist/store_probe.hpp>

#include "commit_batcher.hpp"

namespace concerto::persist {

/// The thread that commits, and the queue before it. While the thread writes a group, the next one
/// gathers in the queue; no timer delays a lone durable change. Several groups of one store can be
/// in flight at a time if the store has several committers and divides the gids among them.
class Committer {
 public:
  struct Limits {
    std::size_t queue_bytes_max;
    std::size_t queue_changes_max;
    GroupLimits group;
  };

  /// Everything that is passed here must outlive the committer.
  Committer(GroupSink& sink, const Limits& limits, const Clock& clock, StoreProbe& probe);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Errors: overloaded, when the system has no room for a thread.
  Result<> start();
  /// Writes what is queued and gathered, then ends. Later requests are refused.
  void stop();

  /// Queues a change and suspends the calling coroutine, which runs on `executor`, until the change
  /// has its answer. This is a plain function, to save a frame for each commit: both arguments
  /// belong to the calling coroutine. Thread-safe. Errors besides those of the sink: overloaded (a
  /// change that creates, without room for it), store_unavailable.
  Async<> commit(CommitRequest& request, const Executor& executor);
  /// The same for a thread that may block. After an error the request is not queued.
  Result<std::future<Result<>>> start_commit(CommitRequest& request);
  /// The same, and waits for the answer.
  Result<> commit_and_wait(CommitRequest& request);

  /// Nothing is written any more, because another part of the store failed to write. Thread-safe.
  void fail(const Error& error);
  /// Whether a write has failed. Thread-safe.
  bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  Result<> queue(CommitRequest& request);
  void run();
  bool wait_for_work(UniqueLock& lock) CONCERTO_REQUIRES(mutex_);
  void wait_for_company(UniqueLock& lock) CONCERTO_REQUIRES(mutex_);
  void write_group(Answers& answers);
  void count_queue() noexcept CONCERTO_REQUIRES(mutex_);

  GroupSink& sink_;
  const Limits limits_;
  const Clock& clock_;
  StoreProbe& probe_;

  Mutex mutex_;
  ConditionVariable arrived_;
  RequestList queue_ CONCERTO_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::size_t queued_changes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  /// Of `fail`, until the thread passes it to the batcher.
  std::optional<Error> failure_ CONCERTO_GUARDED_BY(mutex_);
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  bool idle_ CONCERTO_GUARDED_BY(mutex_) = false;  ///< the thread waits for changes
  /// The thread is woken when the queue has so many changes.
  std::size_t wake_at_ CONCERTO_GUARDED_BY(mutex_) = 1;

  // Used by the committer's thread alone:
  CommitBatcher batcher_;
  RequestList taken_;  ///< out of the queue, not in a group yet
  Pace pace_;
  SteadyTime written_at_{};  ///< when the last write ended

  std::atomic<bool> failed_ = false;
  std::thread thread_;
};

}  // namespace concerto::persist
