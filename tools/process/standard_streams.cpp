#include "standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace concerto::tools {

bool open_standard_streams() noexcept {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // open returns the lowest free number, which is this one: all lower ones are open.
    const int how = stream == STDOUT_FILENO ? O_RDONLY : O_RDWR;
    if (::open("/dev/null", how) != stream) return false;
  }
  return true;
}

}  // namespace concerto::tools
