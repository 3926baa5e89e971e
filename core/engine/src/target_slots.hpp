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

/// Limits how many woken transactions (retries, recovery) call one target at a time, so that a
/// target which does not answer holds up its own transactions and no others. Further transactions
/// are queued, each as a gid. For one shard; not thread-safe.
///
/// The limit of a target begins low. It grows with every pass that the target answers, up to the
/// maximum, and shrinks with every pass that ends in an error. So a dead target costs a few calls
/// at a time, and a target that is back gets its backlog as fast as it can take it. When the last
/// slot is given back, the target is forgotten with its limit. Nobody knows how the target is when
/// the next transaction comes, so its limit begins low again; and a target that nobody calls takes
/// no memory.
class TargetSlots {
 public:
  /// The limit of each target begins here, and never shrinks below.
  static constexpr std::size_t first_limit = 16;

  explicit TargetSlots(std::size_t per_target_max) : per_target_max_(per_target_max) {}

  /// Takes a slot of `target`. If none is free, `wake` is queued, and the result is false.
  /// Precondition: the gid of `wake` is in no queue.
  bool take(std::string_view target, Alarms::Wake wake);

  /// Takes a slot of `target` if one is free and no transaction is queued for it.
  bool take_free(std::string_view target);
  bool has_taken(std::string_view target) const;

  /// What a pass with a slot found out about the target.
  enum class Use { unused, answered, failed };
  using Admitted = std::vector<Alarms::Wake>;
  /// Gives a slot back. Returns the transactions that leave the queue; each has a slot now.
  Admitted give_back(std::string_view target, Use use);

  /// Takes `gid` out of its queue, if it is in one, because its pass begins without a slot. Returns
  /// the wake that was queued.
  std::optional<Alarms::Wake> forget(const Gid& gid);

  /// The target in whose queue `gid` is; empty if it is in no queue.
  std::string_view queued_at(const Gid& gid) const;

  /// How many slots of the target may be taken at a time.
  std::size_t limit(std::string_view target) const;
  std::size_t queued() const noexcept { return queued_.size(); }

  /// The new maximum counts from the next slot on that is taken or given back. Queued transactions
  /// leave the queue only then.
  void set_max(std::size_t per_target_max) noexcept { per_target_max_ = per_target_max; }

 private:
  struct Target {
    std::size_t limit = first_limit;
    std::size_t taken = 0;
    std::size_t queued = 0;  ///< transactions in `queue`, without the forgotten ones
    std::deque<Alarms::Wake> queue;
  };
  using Targets = std::unordered_map<std::string, Target>;
  struct Queued {
    Targets::value_type* target;
    Alarms::Wake* wake;  ///< an element of `queue`, which does not move; without a gid: forgotten
  };

  bool has_room(const Target& target) const noexcept;
  bool take_free(Target& target) const noexcept;
  void admit(Target& target, Admitted& admitted);

  std::size_t per_target_max_;
  Targets targets_;  ///< targets of which a slot is taken
  std::unordered_map<Gid, Queued> queued_;
};

}  // namespace concerto
