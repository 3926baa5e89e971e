#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// From whom a coordinator may take a transaction.
enum class Claim : std::uint8_t {
  if_free,  ///< the transaction rests, or its lease is over, or it is this coordinator's already
  always,   ///< also from another coordinator, whose next change then ends in lease_lost
};

/// What a claim found.
struct Claimed {
  /// As stored, with the next_cron_time from before the claim. Nullopt: there is no such
  /// transaction.
  std::optional<Transaction> trans;
  bool is_ours = false;  ///< false: it is finished, or another coordinator works on it
};

/// Who has an unfinished transaction, for people.
struct Owner {
  std::string id;              ///< as stored
  bool is_this = false;        ///< this coordinator
  bool is_coordinator = true;  ///< false: perhaps another program that uses the same store
  WallTime until{};            ///< the end of its lease
};

/// The unfinished transactions of all coordinators.
struct Backlog {
  std::array<std::size_t, trans_types> by_type{};
  std::optional<WallTime> oldest;  ///< create time of the oldest
  bool is_complete = true;         ///< false: there are more than were counted
};

/// Says who works on which transaction, where several coordinators share a store (docs/cluster.md).
///
/// A transaction is this coordinator's from a claim, or from the commit that creates it with a
/// status other than prepared. It stays so until its status is final, until a change or `let_go`
/// puts it to rest, or until its lease ends. Each change of it renews its lease. A lease that has
/// ended may be claimed by another coordinator; a change by the one that had it then ends in
/// lease_lost and changes nothing.
///
/// The store's own clock decides what is due and when leases end. A coordinator counts a lease on
/// steady time, from before it asked; it ends earlier than the store's by a margin.
///
/// Callable from any shard; a call returns on the shard that made it. Errors: store_busy, nothing
/// was changed; store_failed, the outcome is not known, and the same call may be made again.
class CONCERTO_EXPORT Ownership {
 public:
  virtual ~Ownership() = default;

  /// For how long a claim or a change makes a transaction this coordinator's.
  virtual std::chrono::nanoseconds lease() const noexcept = 0;

  virtual Async<Claimed> claim(Gid gid, Claim how) = 0;
  /// Claims unfinished transactions whose time has come, at most `limit`, those that are due for
  /// longest first. Changes that were queued before are made first: none must be overtaken.
  virtual Async<std::vector<Transaction>> claim_due(std::size_t limit) = 0;
  /// Renews leases. Returns the gids that are no longer this coordinator's.
  virtual Async<std::vector<Gid>> renew(std::vector<Gid> gids) = 0;
  /// Puts a transaction to rest without a change: it is due at `until`. Does nothing if the
  /// transaction is not this coordinator's.
  virtual Async<> let_go(Gid gid, WallTime until) = 0;

  /// Finds unfinished transactions that rest for longer than `beyond` from now, whichever
  /// coordinator put them to rest, and whose last change is not later than `unchanged_since`. At
  /// most `limit`; first of all those whose time is farthest away.
  virtual Async<std::vector<Gid>> resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                          std::size_t limit) = 0;
  /// Counts, with a bounded amount of work.
  virtual Async<Backlog> backlog() = 0;

  /// Who has the transaction now. Nullopt: nobody has it, it is finished, or the store cannot tell.
  virtual Async<std::optional<Owner>> owner_of(Gid gid);
};

}  // namespace concerto
