#pragma once

#include <unistd.h>

#include <sys/resource.h>

namespace concerto::test {

/// While this object lives, the process cannot open anything, as if its limit of descriptors was
/// used up.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int first_free = ::dup(STDERR_FILENO);
    ::close(first_free);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(first_free);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptorLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;

 private:
  rlimit before_{};
};

}  // namespace concerto::test
