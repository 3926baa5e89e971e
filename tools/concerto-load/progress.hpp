#pragma once

#include <cstdint>
#include <string>

#include "options.hpp"
#include "tally.hpp"

namespace concerto::load {

/// Shows on stderr how far the load is: on a terminal by a bar that is redrawn, elsewhere by a line
/// each time. Shows nothing unless stderr is a terminal or the progress is asked for.
class Progress {
 public:
  explicit Progress(const LoadOptions& options);

  void show_warm_up();
  /// Call it after each second of the measured time.
  void show(const Tally& tally);
  void show_checks(std::uint64_t done, std::uint64_t all);
  /// Ends the line.
  void end();

 private:
  void write(const std::string& line);

  const LoadOptions& options_;
  bool on_terminal_;
  bool shown_;
};

/// `[=====     ]  50%  5 s  12,000 per second  p99 3.210 ms  failures 0`
std::string progress_line(const LoadOptions& options, const Tally& tally);

}  // namespace concerto::load
