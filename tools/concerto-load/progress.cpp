#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <unistd.h>

#include "number_text.hpp"

namespace concerto::load {
namespace {

constexpr std::size_t bar_chars = 30;

std::string bar(double share) {
  const double full = std::clamp(share, 0.0, 1.0) * static_cast<double>(bar_chars);
  const auto chars = static_cast<std::size_t>(full);
  return "[" + std::string(chars, '=') + std::string(bar_chars - chars, ' ') + "] " +
         fixed(std::clamp(share, 0.0, 1.0) * 100, 0) + "%";
}

}  // namespace

std::string progress_line(const LoadOptions& options, const Tally& tally) {
  const Second now = tally.seconds().empty() ? Second{} : tally.seconds().back();
  double share = now.end / options.seconds;
  if (options.transactions > 0) {
    const auto done = static_cast<double>(tally.latency_us().count());
    share = std::max(share, done / static_cast<double>(options.transactions));
  }
  return bar(share) + "  " + fixed(now.end, 0) + " s  " +
         with_commas(static_cast<std::uint64_t>(std::llround(now.per_second()))) +
         " per second  p99 " + ms_text(static_cast<double>(now.p99_us)) + " ms  failures " +
         with_commas(tally.failures().count());
}

Progress::Progress(const LoadOptions& options)
    : options_(options),
      on_terminal_(::isatty(STDERR_FILENO) != 0),
      shown_(on_terminal_ || options.progress) {}

void Progress::show_warm_up() {
  if (options_.warm_up_seconds > 0) write("warming up");
}

void Progress::show(const Tally& tally) {
  write(progress_line(options_, tally));
}

void Progress::show_checks(std::uint64_t done, std::uint64_t all) {
  write("checking: " + with_commas(done) + " of " + with_commas(all) + " queried");
}

void Progress::end() {
  if (on_terminal_) write("");
}

void Progress::write(const std::string& line) {
  if (!shown_) return;
  // On a terminal: go to the first column, and erase the rest of the last line.
  std::cerr << (on_terminal_ ? "\r" + line + "\x1b[K" : line + "\n") << std::flush;
}

}  // namespace concerto::load
