#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alarms.hpp"

namespace concerto {

/// Bounds how many woken transactions (retries, recovery) work on one target at a time, so that a
/// service which does not answer holds up its own transactions and nobody else's. The others wait
/// in line, as a gid each. Of one shard, not thread-safe.
class TargetSlots {
 public:
  explicit TargetSlots(std::size_t per_target_max) : per_target_max_(per_target_max) {}

  /// Takes a slot of `target`. Without a free one, `due` waits in line and the answer is false.
  bool take(std::string_view target, Alarms::Due due);

  /// Gives a slot back. The first in line gets it: who is returned has it already.
  std::optional<Alarms::Due> give_back(std::string_view target);

  /// Takes `gid` out of its line, if it waits in one: somebody else works on it.
  void forget(const Gid& gid);

  /// The target in whose line `gid` waits, empty if it waits in none.
  std::string_view waits_for(const Gid& gid) const;

  std::size_t waiting() const noexcept { return waiting_.size(); }
  struct Admitted {
    Alarms::Due due;
    std::string target;
  };
  /// Those that have a slot keep it. Returns who gets one now.
  std::vector<Admitted> set_max(std::size_t per_target_max);
  std::size_t per_target_max() const noexcept { return per_target_max_; }

 private:
  struct Target {
    std::size_t taken = 0;
    std::size_t waiting = 0;  ///< in the line, forgotten ones left out
    std::deque<Alarms::Due> line;
  };
  std::optional<Alarms::Due> next_in_line(Target& target);

  using Targets = std::unordered_map<std::string, Target>;
  struct Waiting {
    Targets::value_type* target;
    Alarms::Due* due;  ///< in the line, where places stay as they are; without a gid: forgotten
  };

  std::size_t per_target_max_;
  Targets targets_;  ///< those with a slot taken
  std::unordered_map<Gid, Waiting> waiting_;
};

}  // namespace concerto
