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

/// The error of an open that found no free descriptor: nothing was done.
Error no_descriptor(const std::string& text);
bool lacks_descriptor(const Error& error) noexcept;

/// Descriptors that are held back for the store's files, so that the store goes on when connections
/// have taken all others. An open that finds no free descriptor has written nothing; so a
/// descriptor of the reserve is closed and the open is tried again. If the reserve is used up, the
/// open is tried until somebody closes a file. Thread-safe.
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

  /// From this call on, an open waits if the reserve is used up. Before this call and after
  /// `fail_at_once` such an open fails, because the start of a store should report the shortage and
  /// a running store should outlast it. `on_wait` is called when an open waits, at most every ten
  /// seconds, on the waiting thread.
  void wait_from_now_on(std::function<void()> on_wait);
  void fail_at_once();
  /// Number of opens that wait for a descriptor now.
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
