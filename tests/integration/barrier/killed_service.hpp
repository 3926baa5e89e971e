#pragma once

#include <csignal>
#include <functional>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <sys/wait.h>

namespace concerto::test {

/// A service in a process of its own, which ends by kill -9.
class KilledService {
 public:
  /// `serve` runs in the new process and opens its own connections. At the point where the process
  /// is to die it calls its argument, which does not return. The constructor returns when the
  /// process is there.
  explicit KilledService(const std::function<void(const std::function<void()>&)>& serve) {
    int pipe[2];
    if (::pipe(pipe) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      serve([&] {
        if (::write(pipe[1], "", 1) == 1) ::pause();
      });
      ::_exit(1);
    }
    ::close(pipe[1]);
    char byte = 0;
    const bool is_there = ::read(pipe[0], &byte, 1) == 1;
    ::close(pipe[0]);
    if (!is_there) throw std::runtime_error("the service has ended before its point");
  }
  ~KilledService() { kill(); }
  KilledService(const KilledService&) = delete;
  KilledService& operator=(const KilledService&) = delete;

  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(std::exchange(process_, 0), nullptr, 0);
  }

 private:
  pid_t process_ = 0;
};

}  // namespace concerto::test
