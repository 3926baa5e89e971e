#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <concerto/base/export.hpp>
#include <concerto/base/thread_annotations.hpp>

namespace concerto {

/// A std::mutex of which Clang knows what it guards: members say so with CONCERTO_GUARDED_BY.
class CONCERTO_LOCK_CLASS Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() CONCERTO_ACQUIRE() { mutex_.lock(); }
  void unlock() CONCERTO_RELEASE() { mutex_.unlock(); }
  /// Tells Clang that the lock is held, in a function object that is called with it. Does nothing.
  void is_held() const noexcept CONCERTO_ASSERT_HELD(this) {}

 private:
  friend class UniqueLock;

  std::mutex mutex_;
};

/// Holds a mutex while it lives.
class CONCERTO_LOCK_HOLDER MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CONCERTO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() CONCERTO_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Holds a mutex, and can let go of it in between: by itself, and while a ConditionVariable waits.
class CONCERTO_LOCK_HOLDER UniqueLock {
 public:
  explicit UniqueLock(Mutex& mutex) CONCERTO_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~UniqueLock() CONCERTO_RELEASE() {}
  UniqueLock(const UniqueLock&) = delete;
  UniqueLock& operator=(const UniqueLock&) = delete;

  void lock() CONCERTO_ACQUIRE() { lock_.lock(); }
  void unlock() CONCERTO_RELEASE() { lock_.unlock(); }

 private:
  friend class ConditionVariable;

  std::unique_lock<std::mutex> lock_;
};

/// A std::condition_variable for a UniqueLock. What is waited for is tested in a loop around the
/// wait, where Clang sees that the lock is held.
class CONCERTO_EXPORT ConditionVariable {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  void wait(UniqueLock& lock) { condition_.wait(lock.lock_); }
  /// False when the time has come.
  bool wait_until(UniqueLock& lock, std::chrono::steady_clock::time_point end) {
    return condition_.wait_until(lock.lock_, end) == std::cv_status::no_timeout;
  }
  bool wait_for(UniqueLock& lock, std::chrono::nanoseconds time) {
    return condition_.wait_for(lock.lock_, time) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable condition_;
};

}  // namespace concerto
