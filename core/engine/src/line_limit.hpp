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

/// Bounds log lines, so that a log stays readable and a disk free while much goes wrong: a few
/// lines about one thing in a window of time; the others are counted. Not thread-safe.
class LineLimit {
 public:
  static constexpr std::chrono::seconds window{10};
  static constexpr std::size_t lines_max = 5;     ///< about one thing in a window
  static constexpr std::size_t things_max = 256;  ///< at a time; all others are one thing

  /// Whether a line about `thing` may be written, of which there are at most `lines` in a window,
  /// the same number each time. A window begins with the first one.
  bool admits(std::string_view thing, SteadyTime now, std::size_t lines = lines_max);

  struct LeftOut {
    std::string thing;  ///< empty for what was beyond things_max
    std::uint64_t lines = 0;
  };
  /// Ends the windows that are over, and tells what they left out.
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
