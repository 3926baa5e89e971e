#pragma once

#include <chrono>

namespace concerto {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Time as the coordinator sees it. Intervals and timeouts run on steady time; wall time is what
/// is stored and shown. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady_now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

}  // namespace concerto
