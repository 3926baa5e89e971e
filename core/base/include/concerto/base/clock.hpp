#pragma once

#include <chrono>

#include <concerto/base/export.hpp>

namespace concerto {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// The coordinator's source of time. Intervals and timeouts use steady time; stored and displayed
/// times are wall time. Implementations are thread-safe.
class CONCERTO_EXPORT Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady_now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

}  // namespace concerto
