#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>

#include <concerto/base/clock.hpp>

namespace concerto::tools {

/// Shows how far a long piece of work is: a bar that moves on a terminal, and a line now and then
/// elsewhere.
class Progress {
 public:
  Progress(std::ostream& out, bool on_terminal, const Clock& clock)
      : out_(out), on_terminal_(on_terminal), clock_(clock) {}

  /// A part of the work begins. A `total` of 0 is not known.
  void begin(std::string what, std::size_t total);
  void advance(std::size_t by);
  /// Shows the end of the part.
  void end();
  /// No more of a part is shown that has begun. What others write begins on a new line.
  void interrupt();

 private:
  void show(bool is_last);

  std::ostream& out_;
  const bool on_terminal_;
  const Clock& clock_;
  std::string what_;
  std::size_t total_ = 0;
  std::size_t done_ = 0;
  bool in_line_ = false;  ///< a part's line on the terminal has no end yet
  SteadyTime began_{};
  SteadyTime shown_{};
};

}  // namespace concerto::tools
