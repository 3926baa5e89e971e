#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

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
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void wait_for_company(std::unique_lock<std::mutex>& lock);
  void write_group(Answers& answers);
  void count_queue() noexcept;

  const Limits limits_;
  const Clock& clock_;
  StoreProbe& probe_;
  const Append append_;
  CommitBatcher batcher_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  RequestList queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t queued_changes_ = 0;
  std::optional<Error> failure_;  ///< on its way to the batcher
  bool stopping_ = false;
  bool idle_ = false;
  std::size_t wake_at_ = 1;  ///< queued changes that end the committer's wait

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
