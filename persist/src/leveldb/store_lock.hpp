#pragma once

#include <string>
#include <utility>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

/// Keeps other processes, and other stores of this one, away from a store's directory as long as
/// it lives.
class StoreLock {
 public:
  /// Errors: store_unavailable when somebody else holds it, or has just removed it; store_failed
  /// when the file system gives no lock.
  static Result<StoreLock> take(const std::string& path);

  /// An error when another file, or none, is at the lock's path now: the lock then keeps nobody
  /// away, and what stands there is not this store. Errors: store_failed.
  Result<> check() const;

  StoreLock() = default;
  StoreLock(StoreLock&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  StoreLock& operator=(StoreLock&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~StoreLock();

 private:
  std::string path_;
  int fd_ = -1;
};

/// The error of a lock that `flock` refused for the reason `reason` (a value of errno): only
/// EWOULDBLOCK says that another process holds the lock.
Error not_locked(const std::string& path, int reason);

}  // namespace concerto::persist
