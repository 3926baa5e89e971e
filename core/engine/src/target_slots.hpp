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

/// Limits how many woken transactions (retries, recovery) work on one target at a time, so that a
/// service which does not answer holds up its own transactions and nobody else's. The others are
/// queued, as a gid each. Of one shard, not thread-safe.
///
/// The limit of a target begins low and grows with every pass that it answers, up to the given
/// one; it shrinks again with every pass that ends in an error. So a dead target costs a few calls
/// at a time, and one that is back gets its backlog as fast as it takes it. With its last slot a
/// target is forgotten, and so is its limit: who has nothing to do may be away when there is
/// something again, so it begins low once more, and targets that nobody calls take no memory.
class TargetSlots {
 public:
  /// Where each target's limit begins, and what it does not shrink below.
  static constexpr std::size_t first_limit = 16;

  explicit TargetSlots(std::size_t per_target_max) : per_target_max_(per_target_max) {}

  /// Takes a slot of `target`. Without a free one, `wake` is queued and the answer is false. Its
  /// gid is in no queue yet.
  bool take(std::string_view target, Alarms::Wake wake);

  /// Takes a free slot of `target` that nobody in the queue is meant to have. False without one.
  bool take_free(std::string_view target);
  bool has_taken(std::string_view target) const;

  /// How the target took the transaction that had the slot.
  enum class Use { unused, answered, failed };
  using Admitted = std::vector<Alarms::Wake>;
  /// Gives a slot back. Returns who came out of the queue; each has a slot now.
  Admitted give_back(std::string_view target, Use use);

  /// Takes `gid` out of its queue, if it is in one: somebody else works on it. Returns what it was
  /// woken for.
  std::optional<Alarms::Wake> forget(const Gid& gid);

  /// The target in whose queue `gid` is, empty if it is in none.
  std::string_view queued_at(const Gid& gid) const;

  /// The number of transactions that may work on a target with a slot taken.
  std::size_t limit(std::string_view target) const;
  std::size_t queued() const noexcept { return queued_.size(); }

  /// Holds as slots are taken and given back; who is queued comes in then.
  void set_max(std::size_t per_target_max) noexcept { per_target_max_ = per_target_max; }

 private:
  struct Target {
    std::size_t limit = first_limit;
    std::size_t taken = 0;
    std::size_t queued = 0;  ///< in the queue, forgotten ones left out
    std::deque<Alarms::Wake> queue;
  };
  using Targets = std::unordered_map<std::string, Target>;
  struct Queued {
    Targets::value_type* target;
    Alarms::Wake* wake;  ///< in the queue, where it does not move; without a gid: forgotten
  };

  bool has_room(const Target& target) const noexcept;
  bool take_free(Target& target) const noexcept;
  void admit(Target& target, Admitted& admitted);

  std::size_t per_target_max_;
  Targets targets_;  ///< those with a slot taken
  std::unordered_map<Gid, Queued> queued_;
};

}  // namespace concerto
