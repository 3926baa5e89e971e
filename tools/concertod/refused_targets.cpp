#include "refused_targets.hpp"

#include <chrono>
#include <utility>

namespace concerto::tools {

void RefusedTargets::tell(const std::string& why) {
  std::string line = why;
  {
    const MutexLock lock{mutex_};
    if (const SteadyTime now = clock_.steady_now(); now >= minute_ends_) {
      minute_ends_ = now + std::chrono::minutes{1};
      told_.clear();
    }
    if (told_.contains(why)) return;
    if (told_.size() >= lines_per_minute_max) {
      ++left_out_;
      return;
    }
    told_.insert(why);
    if (const std::size_t others = std::exchange(left_out_, 0); others > 0) {
      line += " (and " + std::to_string(others) + " other refusals since the last such line)";
    }
  }
  say_(line);
}

}  // namespace concerto::tools
