#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <concerto/core/clock.hpp>
#include <concerto/core/ids.hpp>
#include <concerto/core/transaction.hpp>

#include "chunked_array.hpp"
#include "resting_table.hpp"

namespace concerto {

/// The unfinished transactions of one shard that rest in the store, and when they are looked at
/// again.
///
/// A gid has at most two times, in steady time: its wake (retry, ongoing branch, delay, recovery)
/// and its timeout. Nothing else is in memory for it: 48 bytes with one alarm, 36 without; a second
/// alarm takes about 35 more, and so does a gid that does not fit into a GidKey. Memory stays with
/// the table once it was needed. Not thread-safe.
class Alarms {
 public:
  struct Due {
    Gid gid;
    bool wake = false;
    bool timeout = false;
  };

  /// Adds a transaction, without an alarm. False if it is there already.
  bool add(const Gid& gid, TransType type, WallTime create_time);
  /// The type of a transaction that is here.
  std::optional<TransType> type_of(const Gid& gid) const;

  void set_wake(const Gid& gid, SteadyTime at);
  void set_timeout(const Gid& gid, SteadyTime at);
  void cancel_wake(const Gid& gid);
  /// Cancels both alarms.
  void cancel(const Gid& gid);
  /// Forgets the transaction; returns its type if it was added.
  std::optional<TransType> remove(const Gid& gid);

  /// Time of the earliest alarm, SteadyTime::max() without one.
  SteadyTime earliest() const noexcept;
  /// Takes out one alarm that is due, if there is one.
  std::optional<Due> pop_due(SteadyTime now);

  /// Adds to `found`, up to `limit` gids in it, those that are to be woken later than `time`, from
  /// a slot of the table on and of one part at most. `from` moves behind what was looked at, up to
  /// `slots()`. A transaction keeps its slot until it is removed: who walks over all slots meets
  /// each one once, whatever else happens meanwhile.
  void waking_after(SteadyTime time, std::size_t limit, std::size_t& from,
                    std::vector<Gid>& found) const;
  std::size_t slots() const noexcept { return table_.slots(); }

  /// Create time of the oldest in some of the `parts()` of the table, WallTime::max() without one,
  /// rounded down to whole seconds. Transactions come and go while somebody walks over the parts in
  /// steps: what he finds is about right, which is enough.
  WallTime oldest_in(std::size_t part) const;
  std::size_t parts() const noexcept { return table_.slots() / part_slots + 1; }

  /// Transactions with an alarm.
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  using Slot = RestingTable::Slot;

  struct Times {
    SteadyTime wake = SteadyTime::max();
    SteadyTime timeout = SteadyTime::max();
  };
  static constexpr std::size_t part_slots = 4096;

  static constexpr std::size_t heap_children = 4;

  /// A transaction's first time. Packed, as padding would be a quarter of it.
  struct [[gnu::packed, gnu::aligned(4)]] HeapItem {
    SteadyTime::rep count = 0;
    Slot slot = RestingTable::nothing;
    SteadyTime time() const noexcept { return SteadyTime(SteadyTime::duration(count)); }
  };
  static_assert(sizeof(HeapItem) == 12);

  Times times(Slot slot) const noexcept;
  void set_times(Slot slot, Times times);
  void set_later(Slot slot, SteadyTime later);
  void leave_heap(Slot slot) noexcept;
  void place_near(std::size_t hole, SteadyTime time, Slot slot) noexcept;
  void place(std::size_t index, SteadyTime time, Slot slot) noexcept;

  RestingTable table_;
  ChunkedArray<HeapItem> heap_;
  boost::unordered_flat_map<Slot, SteadyTime> later_times_;  ///< of those with two
};

}  // namespace concerto
