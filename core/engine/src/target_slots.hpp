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
///
/// The bound of a target begins low and grows with every pass that it answers, up to the given
/// one; it shrinks again with every pass that ends in an error. So a dead target costs a few calls
/// at a time, and one that is back gets its backlog as fast as it takes it. With its last slot a
/// target is forgotten, and so is its bound: who has nothing to do may be away when there is
/// something again, so it begins low once more, and targets that nobody calls take no memory.
class TargetSlots {
 public:
  /// Where each target's bound begins, and what it does not shrink below.
  static constexpr std::size_t first_bound = 16;

  explicit TargetSlots(std::size_t per_target_max) : per_target_max_(per_target_max) {}

  /// Takes a slot of `target`. Without a free one, `wake` waits in line and the answer is false.
  /// Its gid waits in no line yet.
  bool take(std::string_view target, Alarms::Wake wake);

  /// Takes a free slot of `target` that nobody in line is meant to have. False without one.
  bool take_free(std::string_view target);
  bool has_taken(std::string_view target) const;

  /// How the target took the transaction that had the slot.
  enum class Use { unused, answered, failed };
  using Admitted = std::vector<Alarms::Wake>;
  /// Gives a slot back. Returns who came out of the line; each has a slot now.
  Admitted give_back(std::string_view target, Use use);

  /// Takes `gid` out of its line, if it waits in one: somebody else works on it. Returns what it
  /// was woken for.
  std::optional<Alarms::Wake> forget(const Gid& gid);

  /// The target in whose line `gid` waits, empty if it waits in none.
  std::string_view waits_for(const Gid& gid) const;

  /// The number of transactions that may work on a target with a slot taken.
  std::size_t bound(std::string_view target) const;
  std::size_t waiting() const noexcept { return waiting_.size(); }

  /// Holds as slots are taken and given back; who waits comes in then.
  void set_max(std::size_t per_target_max) noexcept { per_target_max_ = per_target_max; }

 private:
  struct Target {
    std::size_t bound = first_bound;
    std::size_t taken = 0;
    std::size_t waiting = 0;  ///< in the line, forgotten ones left out
    std::deque<Alarms::Wake> line;
  };
  using Targets = std::unordered_map<std::string, Target>;
  struct Waiting {
    Targets::value_type* target;
    Alarms::Wake* wake;  ///< in the line, where places stay as they are; without a gid: forgotten
  };

  bool has_room(const Target& target) const noexcept;
  bool take_free(Target& target) const noexcept;
  void admit(Target& target, Admitted& admitted);

  std::size_t per_target_max_;
  Targets targets_;  ///< those with a slot taken
  std::unordered_map<Gid, Waiting> waiting_;
};

}  // namespace concerto
