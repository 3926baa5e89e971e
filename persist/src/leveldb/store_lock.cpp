#include "store_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <sys/file.h>

namespace concerto::persist {

Result<StoreLock> StoreLock::take(const std::string& path) {
  StoreLock lock;
  lock.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.fd_ < 0) {
    return make_error(Errc::store_failed,
                      "cannot open '" + path + "': " + std::generic_category().message(errno));
  }
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    return make_error(Errc::store_unavailable,
                      "'" + path + "' is held: another process has " + "this store open");
  }
  return lock;
}

StoreLock::~StoreLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace concerto::persist
