#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>

namespace concerto {

/// Limits the lines of a log, so that the log stays readable and the disk free while much goes
/// wrong. In a window of time it admits a few lines about one thing, and counts the others. Not
/// thread-safe.
class LineLimit {
 public:
  static constexpr std::chrono::seconds window{10};
  static constexpr std::size_t lines_max = 5;     ///< about one thing in a window
  static constexpr std::size_t things_max = 256;  ///< at a time; all further things count as one

  /// Whether a line about `thing` may be written. A window, which begins with the first line,
  /// admits `lines` of them; `lines` must be the same in each call.
  bool admits(std::string_view thing, SteadyTime now, std::size_t lines = lines_max);

  struct LeftOut {
    std::string thing;  ///< empty: all things beyond things_max
    std::uint64_t lines = 0;
  };
  /// Ends the windows that are over, and returns what they left out.
  std::vector<LeftOut> end_windows(SteadyTime now);
  /// When the next window is over, SteadyTime::max() without one.
  SteadyTime next_end() const noexcept;

 private:
  struct Window {
    SteadyTime end;
    std::uint64_t lines_max = 0;
    std::uint64_t lines = 0;
  };
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace concerto
