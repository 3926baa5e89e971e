#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto::persist {

/// The error of an open for want of a descriptor: nothing was done.
Error no_descriptor(const std::string& text);
bool lacks_descriptor(const Error& error) noexcept;

/// Descriptors held back for the store's files, so that the store goes on when connections have
/// taken all others. An open that fails for want of a descriptor has written nothing: one of the
/// reserve is closed and the open is tried again. With the reserve used up, the open is tried until
/// somebody closes a file. Thread-safe.
class DescriptorReserve {
 public:
  explicit DescriptorReserve(std::size_t count);
  ~DescriptorReserve();
  DescriptorReserve(const DescriptorReserve&) = delete;
  DescriptorReserve& operator=(const DescriptorReserve&) = delete;

  /// Calls `attempt`, which returns a Result, until it does not fail for want of a descriptor.
  template <class Attempt>
  auto open(Attempt attempt) {
    auto opened = attempt();
    while (!opened && lacks_descriptor(opened.error()) && find_one()) opened = attempt();
    if (missing_.load(std::memory_order_relaxed)) refill();
    return opened;
  }

  /// From now on an open waits when the reserve is gone; before, and after `fail_at_once`, it
  /// fails: a store that cannot be opened says so, one that serves waits. `on_wait` hears of a
  /// wait, not more often than every ten seconds, on the thread that waits.
  void wait_from_now_on(std::function<void()> on_wait);
  void fail_at_once();
  /// Opens that wait for a descriptor now.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  bool find_one();
  bool wait_for_one(UniqueLock& lock) CONCERTO_REQUIRES(mutex_);
  void refill();

  const std::size_t count_;
  std::atomic<bool> missing_ = true;  ///< the reserve is not complete
  std::atomic<std::size_t> waiting_ = 0;
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<int> held_ CONCERTO_GUARDED_BY(mutex_);
  bool may_wait_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::function<void()> on_wait_ CONCERTO_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point said_ CONCERTO_GUARDED_BY(mutex_){};
};

}  // namespace concerto::persist
