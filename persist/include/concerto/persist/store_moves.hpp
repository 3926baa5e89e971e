#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include <concerto/base/export.hpp>
#include <concerto/persist/managed_store.hpp>

namespace concerto::persist {

/// Whether the transaction goes on at once after a restart, whatever its next_cron_time is.
constexpr bool was_in_work(const Transaction& trans) noexcept {
  return !trans.waits && trans.status != TransStatus::prepared && !is_final(trans.status);
}

/// A server of the reference leaves no lease. What it touched so long ago, it may be working on.
/// A transaction that waits for longer may have been left by a server that is gone.
inline constexpr std::chrono::seconds reference_works_for{15};

/// What others work on in a store at this moment: other coordinators, whose leases are not over,
/// and servers of the reference, as far as a transaction shows that one of them had it in the last
/// `reference_works_for`.
struct WorkOfOthers {
  std::size_t count = 0;  ///< of transactions; more than 1,000 need not be counted
  /// When the last of them is free if whoever has them is gone. Who is not gone moves this time.
  /// Absent: not all were counted.
  std::optional<std::chrono::milliseconds> free_in;

  void add(std::chrono::milliseconds lasts) {
    ++count;
    free_in = std::max(free_in.value_or(lasts), lasts);
  }
};

/// How a store takes data that another store had. Stores that several coordinators share implement
/// this themselves; MovesOf has it for every store. Callable as the Store is.
class CONCERTO_EXPORT StoreMoves {
 public:
  virtual ~StoreMoves() = default;

  /// Creates a transaction as another store had it, with any status. As a commit of CreateTrans,
  /// but the transaction belongs to nobody. If it is unfinished, it rests until its next_cron_time,
  /// and is due at once if it was in work. `trans` stays unchanged until the call returns. Calls
  /// at the same time share groups.
  virtual Async<> create_at_rest(const Transaction& trans) = 0;

  /// What `load` returns of a transaction after `create_at_rest`. Layouts differ: some round times,
  /// or have no room for a field. Error invalid_request: the transaction does not fit.
  virtual Result<Transaction> as_kept(const Transaction& trans) const = 0;
  /// The same of a record after `create_kv`.
  virtual KvRecord as_kept(const KvRecord& record) const = 0;

  virtual Async<WorkOfOthers> work_of_others() = 0;
};

/// The StoreMoves of a store, which must outlive this object. A store without one keeps everything
/// as it is, and nobody else works on it.
class CONCERTO_EXPORT MovesOf {
 public:
  explicit MovesOf(ManagedStore& store) : own_(store), moves_(dynamic_cast<StoreMoves*>(&store)) {}

  StoreMoves& operator*() noexcept {
    if (moves_ != nullptr) return *moves_;
    return own_;
  }

 private:
  class Plain final : public StoreMoves {
   public:
    explicit Plain(Store& store) noexcept : store_(store) {}
    Async<> create_at_rest(const Transaction& trans) override {
      Change change;
      change.what = CreateTrans{&trans};
      co_return co_await store_.commit(change);
    }
    Result<Transaction> as_kept(const Transaction& trans) const override { return trans; }
    KvRecord as_kept(const KvRecord& record) const override { return record; }
    Async<WorkOfOthers> work_of_others() override { co_return WorkOfOthers{}; }

   private:
    Store& store_;
  };

  Plain own_;
  StoreMoves* const moves_;
};

}  // namespace concerto::persist
