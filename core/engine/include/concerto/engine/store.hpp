#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/error.hpp>
#include <concerto/engine/ownership.hpp>
#include <concerto/engine/store_health.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// What a commit waits for (docs/guarantees.md).
enum class Durability : std::uint8_t {
  durable,   ///< returns when the change survives `kill -9` and power loss
  progress,  ///< returns when the change is ordered; a crash may lose it, and a call is repeated
};

/// Creates a transaction. Precondition: no transaction has its gid, whether finished or not.
struct CreateTrans {
  const Transaction* trans = nullptr;  ///< stays unchanged until the commit returns
};

/// Changes a transaction. Of a finished transaction only the schedule may change. Precondition: the
/// status is `expected`, and no row of the transaction has the (branch_id, op) of one of
/// `delta.new_branches`.
struct UpdateTrans {
  Gid gid;
  TransStatus expected = TransStatus::prepared;
  TransDelta delta;
  /// For a store with an Ownership: the change puts the transaction to rest until this time.
  std::optional<WallTime> rests_until = std::nullopt;
  /// The transaction before the change, as the coordinator knows it. It saves a store in rows from
  /// reading them first; null makes such a store read. Used until `commit` first suspends.
  const Transaction* known = nullptr;
};

/// One change. It is applied completely or not at all.
struct Change {
  std::variant<CreateTrans, UpdateTrans> what;
  Durability durability = Durability::durable;
};

/// What recovery needs to know of an unfinished transaction.
struct UnfinishedTrans {
  Gid gid;
  TransType type = TransType::saga;
  TransStatus status = TransStatus::prepared;
  bool waits = false;
  WallTime create_time{};
  WallTime next_cron_time{};
  std::chrono::seconds timeout_to_fail{};
  std::chrono::seconds next_cron_interval{};
  std::optional<WallTime> submit_time;
  std::string custom_data;
};

struct UnfinishedPage {
  std::vector<UnfinishedTrans> transactions;
  std::uint64_t next = 0;  ///< where the next page begins; 0 after the last page
};

/// A set of statuses.
class CONCERTO_EXPORT StatusSet {
 public:
  constexpr StatusSet() = default;
  constexpr StatusSet(std::initializer_list<TransStatus> statuses) {
    for (const TransStatus status : statuses) insert(status);
  }

  constexpr void insert(TransStatus status) noexcept { bits_ |= bit(status); }
  constexpr void erase(TransStatus status) noexcept { bits_ &= ~bit(status); }
  constexpr bool contains(TransStatus status) const noexcept { return (bits_ & bit(status)) != 0; }
  constexpr bool has_any_of(StatusSet other) const noexcept { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr bool operator==(StatusSet, StatusSet) = default;

 private:
  static constexpr std::uint32_t bit(TransStatus status) noexcept {
    return std::uint32_t{1} << static_cast<std::uint32_t>(status);
  }
  std::uint32_t bits_ = 0;
};

/// Selects transactions for `list`; an absent field selects all.
struct ListFilter {
  StatusSet statuses;  ///< empty: any
  std::optional<TransType> type;
  std::optional<WallTime> created_from;  ///< inclusive
  std::optional<WallTime> created_to;    ///< inclusive
  /// Called last, with the whole transaction. Called on any thread, but on one at a time.
  std::function<bool(const Transaction&)> accepts;
  /// Called before `accepts`, on the same thread, with the id of who has the lease of the
  /// transaction (Owner::id); empty if nobody has it. Only stores with an Ownership know it: others
  /// are not asked (Coordinator::list).
  std::function<bool(std::string_view owner)> accepts_owner = {};
};

/// A page ends early when its transactions have this many bytes, so that answers are bounded.
inline constexpr std::size_t page_bytes_max = std::size_t{8} << 20;

struct TransPage {
  std::vector<Transaction> transactions;  ///< newest first
  std::string next_position;              ///< opaque; empty on the last page
};

/// A record of the key-value part (protocol page 07, section 1.3).
struct KvRecord {
  std::string cat;
  std::string key;
  std::string value;
  std::int64_t version = 1;
  WallTime create_time{};
  WallTime update_time{};

  friend bool operator==(const KvRecord&, const KvRecord&) = default;
};

struct KvPage {
  std::vector<KvRecord> records;
  std::string next_position;
};

/// Where transactions live. A contract suite (tests/support/store_contract.hpp) checks what every
/// store must do.
///
/// Callable from any shard; a call returns on the shard that made it. The changes of one gid have
/// an order, that of their commits. Preconditions are checked in this order, so they count earlier
/// changes that are not durable yet. Reads show what is durable, and progress that comes after it
/// in the order.
///
/// Errors (an exception of `commit` counts as store_failed, one of `load` as store_busy):
/// - gid_exists, status_mismatch, trans_not_found, branch_exists: nothing changed;
/// - lease_lost, of a store with an Ownership: nothing changed;
/// - overloaded: nothing changed, because there is no room. Only CreateTrans and lists are refused
///   for this reason;
/// - store_busy: nothing was changed or read, and the same call may soon succeed. Reasons are a
///   connection that was lost before the change was sent, a deadlock, or a failover. A store that
///   does not know whether it made a change must find out before it answers store_busy;
/// - store_failed: the change may or may not be durable. If the store recovers, a later `load`
///   tells. If it does not, it answers store_unavailable from then on, until it is opened again.
class CONCERTO_EXPORT Store {
 public:
  virtual ~Store() = default;

  /// `change` must stay unchanged until the commit returns.
  virtual Async<> commit(const Change& change) = 0;

  /// The transaction with its branches, nullopt if there is none.
  virtual Async<std::optional<Transaction>> load(Gid gid) = 0;

  /// Unfinished transactions in the order of their creation, at most `limit`, beginning with `from`
  /// (0: the first). Used at start, before other changes of these gids are made.
  virtual Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) = 0;

  /// Transactions without payloads and branches, newest first. `position` is empty, or the
  /// next_position of the page before, with the same filter; any other text is an invalid_request.
  /// A page that is not the last one has `limit` transactions, or page_bytes_max bytes of them. To
  /// find unfinished or failed transactions the store does not look at the others, however many
  /// there are.
  virtual Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) = 0;

  /// Records of a category with a key. An empty category or key means any.
  virtual Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) = 0;
  /// Pages end as those of `list` do.
  virtual Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) = 0;
  /// Stores the record with the version that it has, at least 1. Error key_exists.
  virtual Async<> create_kv(KvRecord record) = 0;
  /// Stores `record.value` as version `record.version + 1` if the stored version is
  /// `record.version`; error key_not_found otherwise.
  virtual Async<> update_kv(KvRecord record) = 0;
  /// Error key_not_found.
  virtual Async<> delete_kv(std::string cat, std::string key) = 0;

  /// Who works on which transaction, if several coordinators can share the store. Null: every
  /// transaction is this process's for ever.
  virtual Ownership* ownership() noexcept { return nullptr; }

  /// What the store can do now. Callable on any thread; returns at once, without IO. A store that
  /// cannot fail keeps this implementation.
  virtual StoreHealth health() const { return {}; }

  /// How many changes wait to be written; each delays those that are queued behind it. Callable as
  /// `health` is. A store without a queue keeps this implementation.
  virtual std::size_t queued_changes() const noexcept { return 0; }

  /// The damaged records that this process has met, at most `max` of them. Callable as `health` is.
  /// A store of which damage ends the work as a whole keeps this implementation.
  virtual DamageReport damage(std::size_t /*max*/) const { return {}; }

  /// What the store counts. Callable as `health` is. The numbers need not be of the same moment.
  virtual StoreNumbers numbers() const { return {}; }
};

}  // namespace concerto
