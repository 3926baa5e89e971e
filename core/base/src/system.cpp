#include <cerrno>
#include <system_error>

#include <sys/random.h>

#include <concerto/base/system.hpp>

namespace concerto {

SteadyTime SystemClock::steady_now() const noexcept {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::wall_now() const noexcept {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

std::uint64_t SystemRandom::next() {
  if (used_ == block_words) {
    // Once the kernel's pool is ready, requests of up to 256 bytes are always filled.
    while (::getrandom(block_, sizeof block_, 0) != sizeof block_) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    used_ = 0;
  }
  return block_[used_++];
}

}  // namespace concerto
