#include "progress.hpp"

#include <algorithm>
#include <utility>

namespace concerto::tools {
namespace {

constexpr std::size_t bar_chars = 30;
constexpr std::chrono::milliseconds terminal_pause{100};
constexpr std::chrono::seconds line_pause{5};

std::string bar(std::size_t done, std::size_t total) {
  const std::size_t full = std::min(done, total) * bar_chars / total;
  return "[" + std::string(full, '=') + std::string(bar_chars - full, ' ') + "] ";
}

}  // namespace

void Progress::begin(std::string what, std::size_t total) {
  what_ = std::move(what);
  total_ = total;
  done_ = 0;
  began_ = shown_ = clock_.steady_now();
  if (on_terminal_) show(false);
}

void Progress::advance(std::size_t by) {
  done_ += by;
  const auto since = clock_.steady_now() - shown_;
  if (on_terminal_ ? since >= terminal_pause : since >= line_pause) show(false);
}

void Progress::end() {
  show(true);
}

void Progress::interrupt() {
  if (in_line_) out_ << std::endl;
  in_line_ = false;
}

void Progress::show(bool is_last) {
  shown_ = clock_.steady_now();
  std::string line = what_ + ": ";
  if (on_terminal_ && total_ > 0) line += bar(done_, total_);
  line += std::to_string(done_);
  if (total_ > 0) line += " of " + std::to_string(total_);
  const auto seconds = std::chrono::duration<double>(shown_ - began_).count();
  constexpr double least_s = 1;
  if (seconds >= least_s) {
    line += ", " + std::to_string(static_cast<std::size_t>(static_cast<double>(done_) / seconds)) +
            " per second";
  }
  // On a terminal: go to the first column, and erase the rest of the last line.
  if (on_terminal_) line = "\r" + line + "\x1b[K";
  in_line_ = on_terminal_ && !is_last;
  if (!in_line_) line += '\n';
  out_ << line << std::flush;
}

}  // namespace concerto::tools
