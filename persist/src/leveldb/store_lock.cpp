#include "store_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "disk.hpp"

namespace concerto::persist {

Error not_locked(const std::string& path, int reason) {
  if (reason == EWOULDBLOCK) {
    return make_error(EngineErrc::store_unavailable,
                      "'" + path + "' is held: another process has this store open");
  }
  return make_error(EngineErrc::store_failed,
                    "cannot lock '" + path + "': " + std::generic_category().message(reason));
}

Result<StoreLock> StoreLock::take(const std::string& path) {
  return locked(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), path);
}

Result<StoreLock> StoreLock::take_existing(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return StoreLock();
  return locked(fd, path);
}

Result<StoreLock> StoreLock::locked(int fd, const std::string& path) {
  StoreLock lock;
  lock.path_ = path;
  lock.fd_ = fd;
  if (fd < 0) return system_failure("cannot open", path);
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) return not_locked(path, errno);
  // A process that resets a store removes the file while it holds the lock. Such a lock keeps
  // nobody away.
  struct stat held {};
  if (::fstat(lock.fd_, &held) != 0) return system_failure("cannot look at", path);
  if (held.st_nlink == 0) {
    return make_error(EngineErrc::store_unavailable,
                      "'" + path + "' is gone: another process has just reset this store");
  }
  return lock;
}

Result<> StoreLock::check() const {
  struct stat held {};
  struct stat there {};
  if (fd_ < 0 || ::fstat(fd_, &held) != 0) return ok();
  if (::stat(path_.c_str(), &there) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return ok();  // that says nothing about the file
  } else if (held.st_dev == there.st_dev && held.st_ino == there.st_ino) {
    return ok();
  }
  return make_error(EngineErrc::store_failed, "the store's directory was removed or replaced: '" +
                                                  path_ + "' is not the file that was opened");
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace concerto::persist
