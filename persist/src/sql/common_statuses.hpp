#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace concerto::persist {

/// Statuses that many rows had a moment ago: the pages of one list need not count them again. What
/// a list finds does not depend on it.
class CommonStatuses {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds life{5};

  bool contains(const std::vector<std::string>& statuses,
                Clock::time_point now = Clock::now()) const {
    const auto found = until_.find(statuses);
    return found != until_.end() && now < found->second;
  }
  void add(std::vector<std::string> statuses, Clock::time_point now = Clock::now()) {
    until_.insert_or_assign(std::move(statuses), now + life);
  }

 private:
  std::map<std::vector<std::string>, Clock::time_point> until_;  ///< there are few sets of statuses
};

}  // namespace concerto::persist
