#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/store.hpp>
#include <concerto/persist/memory_store.hpp>

#include "fake_clock.hpp"

namespace concerto::test {

/// The data of a store that several coordinators share, as rows of a database keep it: each
/// unfinished transaction has an owner, and a time until which the owner works on it or nobody
/// does. The rows' times are whole seconds by the database's own clock. Each coordinator has a
/// SharedStore on this data. For one thread.
class SharedWorld {
 public:
  /// The owner of a transaction that rests.
  static constexpr std::string_view rest_mark = "cc-rest";
  /// A lease in a row is longer than the lease that a coordinator counts, because the rows' times
  /// are rounded.
  static constexpr std::chrono::milliseconds row_margin{1500};

  explicit SharedWorld(const Clock& clock,
                       std::chrono::nanoseconds lease = std::chrono::seconds(15))
      : clock_(clock), lease_(lease) {}

  /// False: a change counts whoever works on the transaction, and whatever its status is. The
  /// simulation must find out.
  bool has_fence = true;
  /// How far the database's clock is ahead of the coordinators' clock.
  std::chrono::nanoseconds clock_ahead{std::chrono::hours(7)};

  WallTime now() const { return clock_.wall_now() + clock_ahead; }
  std::chrono::nanoseconds lease() const noexcept { return lease_; }

  Result<> commit(const std::string& node, Change change, WallTime node_now);
  Claimed claim(const std::string& node, const Gid& gid, Claim how, WallTime node_now);
  std::vector<Transaction> claim_due(const std::string& node, std::size_t limit, WallTime node_now);
  std::vector<Gid> renew(const std::string& node, const std::vector<Gid>& gids);
  void let_go(const std::string& node, const Gid& gid, WallTime until, WallTime node_now);
  std::vector<Gid> resting(std::chrono::seconds beyond, WallTime unchanged_since,
                           std::size_t limit);
  Backlog backlog();

  /// The transaction as a read shows it.
  std::optional<Transaction> load(const Gid& gid, WallTime node_now);
  std::optional<Owner> owner_of(const std::string& node, const Gid& gid, WallTime node_now) const;
  /// Who works on an unfinished transaction; empty if there is no such transaction.
  std::string owner(const Gid& gid) const;
  /// Gives a transaction to somebody else until `until` by the database's clock.
  void set_owner(const Gid& gid, std::string owner, WallTime until);
  /// Whether `node` may work on the transaction now, by the last lease that it was granted.
  bool has_lease(const std::string& node, const Gid& gid) const;

  /// What has no owner: lists and key-value records.
  persist::MemoryStore& data() noexcept { return data_; }

 private:
  struct Row {
    std::string owner;
    WallTime until{};
  };

  bool may_take(const Row& row, const std::string& node) const;
  void grant(Row& row, const std::string& node, const Gid& gid);
  void rest(Row& row, const std::string& node, const Gid& gid, WallTime until);
  Result<> check_fence(const std::string& node, UpdateTrans& update);
  std::optional<Transaction> stored(const Gid& gid);
  Transaction shown(Transaction trans, const Row& row, WallTime node_now) const;

  const Clock& clock_;
  const std::chrono::nanoseconds lease_;
  persist::MemoryStore data_;
  asio::io_context io_{1};
  std::map<std::string, Row> rows_;  ///< of unfinished transactions, by gid
  /// The end of the last lease that a node was granted, by the database's clock.
  std::map<std::pair<std::string, std::string>, WallTime> granted_;
};

/// One coordinator's connection to a SharedWorld, with the troubles that a test scripts.
class SharedStore final : public Store, public Ownership {
 public:
  static constexpr std::size_t always = static_cast<std::size_t>(-1);

  SharedStore(SharedWorld& world, const Clock& clock, std::string node)
      : world_(world), clock_(clock), node_(std::move(node)) {}

  const std::string& node() const noexcept { return node_; }

  /// Makes so many of the next calls answer store_busy and do nothing.
  std::size_t busy_calls = 0;
  std::size_t queued = 0;      ///< what it says of its queue
  bool hides_trouble = false;  ///< `health` serves also while calls are busy
  /// Makes so many of the next changes (commits, claims, renewals, let_go) answer store_failed,
  /// with or without an effect.
  std::size_t lost_answers = 0;
  std::size_t lost_calls = 0;
  /// Numbers of calls so far.
  std::size_t commits = 0;
  std::size_t claims = 0;
  std::size_t polls = 0;
  std::size_t renewals = 0;
  std::size_t loads = 0;
  std::size_t lists = 0;
  std::vector<std::string> let_go_gids;

  /// From now on calls are on their way: they take effect when they are released.
  void hold() { holding_ = true; }
  void release(std::size_t count);
  /// Releases one call, before those that were sent earlier: they are on other connections.
  void release_at(std::size_t index);
  /// Releases all calls, and holds no later ones.
  void release();
  std::size_t held() const noexcept { return held_.size(); }
  /// The process was killed: each call on its way arrives or not, and no coroutine goes on.
  void crash(const std::function<bool()>& arrives);

  Async<> commit(const Change& change) override;
  Async<std::optional<Transaction>> load(Gid gid) override;
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override;
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override;
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    return world_.data().find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return world_.data().scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override;
  Async<> update_kv(KvRecord record) override;
  Async<> delete_kv(std::string cat, std::string key) override;
  Ownership* ownership() noexcept override { return this; }
  StoreHealth health() const override;
  std::size_t queued_changes() const noexcept override { return queued; }

  std::chrono::nanoseconds lease() const noexcept override { return world_.lease(); }
  Async<Claimed> claim(Gid gid, Claim how) override;
  Async<std::vector<Transaction>> claim_due(std::size_t limit) override;
  Async<std::vector<Gid>> renew(std::vector<Gid> gids) override;
  Async<> let_go(Gid gid, WallTime until) override;
  Async<std::vector<Gid>> resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                  std::size_t limit) override;
  Async<Backlog> backlog() override;
  Async<std::optional<Owner>> owner_of(Gid gid) override;

 private:
  /// Makes a call arrive. Its argument: whether its answer goes back to the coordinator.
  using Arrive = std::function<void(bool)>;

  template <class T, class Effect>
  Async<T> send(Effect effect);

  SharedWorld& world_;
  const Clock& clock_;
  const std::string node_;
  bool holding_ = false;
  std::deque<Arrive> held_;
};

}  // namespace concerto::test
