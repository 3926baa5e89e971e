#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <concerto/engine/observer.hpp>
#include <concerto/persist/store_moves.hpp>

#include "../damaged_records.hpp"
#include "redis_commands.hpp"
#include "redis_lane.hpp"

namespace concerto::persist {

class RedisUpkeep;

struct RedisOptions {
  RedisAccess access;
  RedisTimes times;
  ReplicaWait wait;
};

/// A store in Redis that several coordinators share, in the reference's layout (README.md beside
/// this file). Thread-safe. The executors of waiting coroutines must outlive `close`.
class RedisStore final : public ManagedStore, public Ownership, public StoreMoves {
 public:
  /// If Redis cannot be reached, the store opens as `recovering`. Clock and observer must outlive
  /// the store. Errors: invalid_request (a file for TLS cannot be used), overloaded,
  /// store_unavailable (Redis does not let the user in, or do what the store needs).
  [[nodiscard]] static Result<std::unique_ptr<RedisStore>> open(RedisOptions options,
                                                                const Clock& clock,
                                                                Observer& observer);
  ~RedisStore() override;

  void set_retention(const StoreRetention& retention) override;
  [[nodiscard]] Result<> maintain() override;
  Async<> create_at_rest(const Transaction& trans) override { return create(trans, true); }
  Result<Transaction> as_kept(const Transaction& trans) const override;
  KvRecord as_kept(const KvRecord& record) const override { return record; }
  Async<WorkOfOthers> work_of_others() override;
  void begin_stop(SteadyTime until) noexcept override;
  void close() override;

  Async<> commit(const Change& change) override;
  Async<std::optional<Transaction>> load(Gid gid) override;
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override;
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override;
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override;
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override;
  Async<> create_kv(KvRecord record) override;
  Async<> update_kv(KvRecord record) override;
  Async<> delete_kv(std::string cat, std::string key) override;
  Ownership* ownership() noexcept override { return this; }
  StoreHealth health() const override;
  std::size_t queued_changes() const noexcept override {
    return probe_.queued_changes.load(std::memory_order_relaxed);
  }
  DamageReport damage(std::size_t max) const override { return damaged_.report(max); }
  StoreNumbers numbers() const override;

  std::chrono::nanoseconds lease() const noexcept override { return commands_.lease(); }
  std::string node() const override { return commands_.node(); }
  Async<Claimed> claim(Gid gid, Claim how) override;
  Async<std::vector<Transaction>> claim_due(std::size_t limit) override;
  Async<std::vector<Gid>> renew(std::vector<Gid> gids) override;
  Async<> let_go(Gid gid, WallTime until) override;
  Async<std::vector<Gid>> resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                  std::size_t limit) override;
  Async<Backlog> backlog() override;
  Async<std::optional<Owner>> owner_of(Gid gid) override;

 private:
  RedisStore(RedisOptions options, std::shared_ptr<RedisTlsContext> tls, const Clock& clock,
             Observer& observer);
  Result<> start();

  static std::size_t lane_index(const Gid& gid) { return std::hash<Gid>{}(gid) % gid_lanes; }
  RedisLane& lane_of(const Gid& gid) { return *lanes_[lane_index(gid)]; }
  /// For what belongs to no gid.
  RedisLane& common_lane() { return *lanes_.back(); }

  Async<> create(const Transaction& trans, bool rests);
  Async<> update(const UpdateTrans& update, Durability durability);
  Async<> settle_all();
  Async<std::vector<Transaction>> records(std::vector<std::string> gids);
  struct LaneRead {
    RedisLane* lane;
    std::string command;
  };
  Task<std::vector<Result<ReplyPtr>>> ask_all(std::vector<LaneRead> reads);
  Async<std::vector<Transaction>> wholes(std::vector<Gid> gids);
  Async<std::vector<std::string>> owners_of(const std::vector<Transaction>& found);
  Async<std::vector<Transaction>> candidates(const ListFilter& filter, bool are_whole,
                                             std::vector<std::string> gids);
  std::optional<Owner> owner_told(Reply answer) const;
  Async<std::optional<Transaction>> loaded(Gid gid, Reply answer);
  Async<> damage(Gid gid, Error found);
  Async<std::vector<Transaction>> oldest_open();
  Result<> note_unclaimed(Reply entry);
  Result<Transaction> told(const Gid& gid, Result<Transaction> read);
  void let_rest(const Gid& gid);
  Async<std::vector<std::string>> scan_keys(std::string pattern);
  Async<std::vector<KvRecord>> kv_records(std::string cat, std::string key);

  const RedisOptions options_;
  const Clock& clock_;
  Observer& observer_;
  DamagedRecords damaged_;
  std::atomic<bool> schedule_is_damaged_ = false;
  RedisCommands commands_;
  StoreProbe probe_;
  RedisStanding standing_;
  /// Changes of two gids in different lanes are written at the same time; the last lane is
  /// `common_lane`.
  static constexpr std::size_t gid_lanes = 2;
  std::vector<std::unique_ptr<RedisLane>> lanes_;
  std::unique_ptr<RedisUpkeep> upkeep_;
};

}  // namespace concerto::persist
