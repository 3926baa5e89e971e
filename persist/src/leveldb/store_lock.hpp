#pragma once

#include <string>
#include <utility>

#include <concerto/core/error.hpp>

namespace concerto::persist {

/// Keeps other processes, and other stores of this one, away from a store's directory as long as
/// it lives.
class StoreLock {
 public:
  /// Errors: store_unavailable when somebody else holds it.
  static Result<StoreLock> take(const std::string& path);

  StoreLock() = default;
  StoreLock(StoreLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  StoreLock& operator=(StoreLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~StoreLock();

 private:
  int fd_ = -1;
};

}  // namespace concerto::persist
