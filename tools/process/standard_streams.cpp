#include "standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace concerto::tools {

bool open_standard_streams() noexcept {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // open returns the lowest free number, which is this one: all lower ones are open.
    if (::open("/dev/null", O_RDWR) != stream) return false;
  }
  return true;
}

}  // namespace concerto::tools
