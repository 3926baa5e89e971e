#include "line_limit.hpp"

#include <algorithm>

namespace concerto {

bool LineLimit::admits(std::string_view thing, SteadyTime now, std::size_t lines) {
  auto found = windows_.find(thing);
  if (found == windows_.end()) {
    if (windows_.size() >= things_max) thing = {};
    found = windows_.try_emplace(std::string(thing), Window{now + window, lines}).first;
  }
  return ++found->second.lines <= found->second.lines_max;
}

std::vector<LineLimit::LeftOut> LineLimit::end_windows(SteadyTime now) {
  std::vector<LeftOut> left_out;
  std::erase_if(windows_, [&](const auto& entry) {
    const auto& [thing, known] = entry;
    if (known.end > now) return false;
    if (known.lines > known.lines_max) {
      left_out.push_back({thing, known.lines - known.lines_max});
    }
    return true;
  });
  return left_out;
}

SteadyTime LineLimit::next_end() const noexcept {
  SteadyTime first = SteadyTime::max();
  for (const auto& [thing, known] : windows_) first = std::min(first, known.end);
  return first;
}

}  // namespace concerto
