#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/store.hpp>
#include <concerto/persist/managed_store.hpp>
#include <concerto/persist/store_moves.hpp>

#include "redis_keys.hpp"
#include "resp.hpp"
#include "scripts.hpp"

namespace concerto::persist {

/// For how long things last.
struct RedisTimes {
  std::chrono::seconds lease{10};             ///< in the schedule; see lease_margin
  std::chrono::seconds data_expire{604'800};  ///< of what is unfinished, after its wake time
  StoreRetention retention;
};

/// A coordinator's lease on steady time ends this much before the one in the schedule, which is
/// rounded to the half second.
inline constexpr std::chrono::milliseconds lease_margin{1'500};

/// Puts the commands of the store together. Thread-safe.
class RedisCommands {
 public:
  RedisCommands(std::string prefix, std::string node, const RedisTimes& times, const Clock& clock)
      : keys_(std::move(prefix)), node_(std::move(node)), times_(times), clock_(clock) {}

  const RedisKeys& keys() const noexcept { return keys_; }
  const std::string& node() const noexcept { return node_; }
  std::chrono::nanoseconds lease() const noexcept { return times_.lease - lease_margin; }
  void set_retention(const StoreRetention& retention);

  /// A change gets its number here, so changes of one gid must be made in their order.
  /// If it `rests`, an unfinished transaction belongs to nobody.
  std::string create(const Transaction& trans, bool rests);
  std::string update(const UpdateTrans& update);
  std::string load(const Gid& gid) const;
  /// The answer has what `load` answers for each of them, or nothing for one to be read alone.
  std::string load_many(std::span<const Gid> gids) const;
  /// As `load`, without the short way of its script.
  std::string check(const Gid& gid) const;
  std::string claim(const Gid& gid, Claim how) const;
  std::string claim_due(std::size_t limit) const;
  std::string renew(std::span<const Gid> gids) const;
  std::string let_go(const Gid& gid, WallTime until) const;
  std::string owner_of(const Gid& gid) const;
  std::string work_of_others() const;
  /// What the answer to it says.
  static WorkOfOthers work_of_others_in(const Reply& answer);
  /// `farthest`: a score; `left_out`: of so many places, and `count` more, the first are left out.
  std::string resting(std::chrono::seconds beyond, std::string_view farthest, std::size_t left_out,
                      std::size_t count) const;
  std::string kv_create(const KvRecord& record);
  std::string kv_update(const KvRecord& record);

 private:
  CommandWriter load_command(const Gid& gid, std::string_view way) const;
  std::string seconds_until(WallTime time) const;
  std::chrono::seconds expire_of(TransStatus status, WallTime wakes_at) const;

  const RedisKeys keys_;
  const std::string node_;
  const RedisTimes times_;
  const Clock& clock_;
  std::atomic<std::int64_t> finished_expire_s_{times_.retention.finished_expire.count()};
  std::atomic<std::int64_t> failed_expire_s_{times_.retention.failed_expire.count()};
  std::atomic<std::int64_t> changes_ = 0;
};

}  // namespace concerto::persist
