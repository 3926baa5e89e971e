#pragma once

#include <string>
#include <utility>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

/// Keeps other processes, and other stores of this process, away from a store's directory while the
/// lock lives.
class StoreLock {
 public:
  /// Errors: store_unavailable if somebody else holds the lock, or has just removed it;
  /// store_failed if the file system gives no lock.
  static Result<StoreLock> take(const std::string& path);

  /// For a reader, which creates nothing: the result holds no lock if the file does not exist.
  static Result<StoreLock> take_existing(const std::string& path);

  /// Checks that the lock's file is still at its path. If another file is there, or none, the lock
  /// keeps nobody away, and what is there is not this store. Errors: store_failed.
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
  static Result<StoreLock> locked(int fd, const std::string& path);

  std::string path_;
  int fd_ = -1;
};

/// The error of a lock that `flock` refused with `reason`, a value of errno. Only EWOULDBLOCK means
/// that another process holds the lock.
Error not_locked(const std::string& path, int reason);

}  // namespace concerto::persist
