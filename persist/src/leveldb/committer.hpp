#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include <concerto/base/mutex.hpp>
#include <concerto/persist/store_probe.hpp>

#include "commit_batcher.hpp"

namespace concerto::persist {

/// The thread that commits, and the queue before it. While it writes, the next group gathers in
/// the queue; no timer delays what is durable.
class Committer {
 public:
  struct Limits {
    std::size_t queue_bytes_max;
    std::size_t queue_changes_max;
  };
  /// What happens to a group; runs on the committer's thread. An error fails the store.
  using Append = std::function<Result<>(const Ledger::Group&)>;

  Committer(Ledger& ledger, const Limits& limits, const Clock& clock, StoreProbe& probe,
            Append append);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Errors: overloaded, when the system has no room for a thread.
  Result<> start();
  /// Writes what is queued and gathered, then ends. Later requests are refused.
  void stop();

  /// Queues a request, which is answered later. Thread-safe. Only a create is refused for room,
  /// so that what was admitted can go on; `request` is then as before. Errors: overloaded,
  /// store_unavailable.
  Result<> submit(CommitRequest& request);
  /// The same from a thread that may block and waits for the answer.
  Result<std::future<Result<>>> start_commit(CommitRequest& request);
  Result<> commit_and_wait(CommitRequest& request);

  /// Whether the disk has no room for new transactions, which are refused then. Thread-safe.
  void set_no_room(bool no_room) noexcept { no_room_.store(no_room, std::memory_order_relaxed); }
  /// No more writes, because something else that the store needs was not written. Thread-safe.
  void fail(const Error& error);
  /// Whether a write has failed. Thread-safe.
  bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool wait_for_work(UniqueLock& lock) CONCERTO_REQUIRES(mutex_);
  void wait_for_company(UniqueLock& lock) CONCERTO_REQUIRES(mutex_);
  void write_group(Answers& answers);
  void count_queue() noexcept CONCERTO_REQUIRES(mutex_);

  const Limits limits_;
  const Clock& clock_;
  StoreProbe& probe_;
  const Append append_;
  CommitBatcher batcher_;

  Mutex mutex_;
  ConditionVariable arrived_;
  RequestList queue_ CONCERTO_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::size_t queued_changes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::optional<Error> failure_ CONCERTO_GUARDED_BY(mutex_);  ///< on its way to the batcher
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  bool idle_ CONCERTO_GUARDED_BY(mutex_) = false;
  /// Queued changes that end the committer's wait.
  std::size_t wake_at_ CONCERTO_GUARDED_BY(mutex_) = 1;

  // Of the committer's thread:
  RequestList taken_;
  std::size_t group_changes_ = 0;  ///< gathered and not written yet
  Pace pace_;
  SteadyTime written_at_{};

  std::atomic<bool> failed_ = false;
  std::atomic<bool> no_room_ = false;
  std::thread thread_;
};

}  // namespace concerto::persist
