#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <concerto/base/clock.hpp>
#include <concerto/engine/ids.hpp>
#include <concerto/engine/transaction.hpp>

#include "alarm_heaps.hpp"
#include "waiting_table.hpp"

namespace concerto {

/// The waiting transactions of one shard, which are in the store alone, and when they are looked at
/// again.
///
/// A gid has at most two alarms, in steady time: one for its next pass (retry, ongoing branch,
/// delay, recovery) and one for its timeout. Nothing else is in memory for it: 48 bytes with one
/// alarm, 36 without; a second alarm takes about 35 more, and so does a gid that does not fit into
/// a GidKey. Memory stays with the table once it was needed. Not thread-safe.
///
/// A gid may also wait for a target, which did not answer it: then its next pass can be taken out
/// before its time, when somebody knows that the target answers. Which target that is takes no
/// memory for the gid, and a few kilobytes for each target, up to `targets_max` of them.
class Alarms {
 public:
  /// Transactions that wait for further targets wait for their time alone.
  static constexpr std::size_t targets_max = 1024;

  /// Why a transaction is woken.
  enum class Cause : std::uint8_t {
    time,    ///< one of its alarms
    trial,   ///< its target may answer again: it is tried for all that wait for that target
    answer,  ///< its target answers again
  };
  /// What ends a transaction's waiting. At least one of its alarms is taken out with it.
  struct Wake {
    Gid gid;
    bool next_pass = false;
    bool timeout = false;
    Cause cause = Cause::time;
  };

  /// Adds a transaction, without an alarm. False if it is there already.
  bool add(const Gid& gid, TransType type, WallTime create_time);
  /// The type of a transaction that is here.
  std::optional<TransType> type_of(const Gid& gid) const;

  /// The alarm for the next pass. `target`: what the transaction waits for until then; empty: for
  /// its time alone.
  void set_next_pass(const Gid& gid, SteadyTime at, std::string_view target = {});
  void set_timeout(const Gid& gid, SteadyTime at);
  void cancel_next_pass(const Gid& gid);
  /// Cancels both alarms.
  void cancel(const Gid& gid);
  /// Forgets the transaction; returns its type if it was added.
  std::optional<TransType> remove(const Gid& gid);

  /// When the next pass of the transaction is due, SteadyTime::max() without an alarm for it.
  SteadyTime next_pass_of(const Gid& gid) const;
  /// When the transaction times out, SteadyTime::max() if it does not.
  SteadyTime timeout_of(const Gid& gid) const;
  /// Time of the earliest alarm, SteadyTime::max() without one.
  SteadyTime earliest() const noexcept;
  /// Takes out the alarms of one transaction that are due, if there is one.
  std::optional<Wake> pop_due(SteadyTime now);

  /// Whether any transaction waits for a target.
  bool any_waits() const noexcept { return !heap_of_target_.empty(); }
  std::size_t waiting_for(std::string_view target) const;
  /// Adds the numbers of those that wait, by target.
  void count_waiting(std::map<std::string, std::size_t>& by_target) const;
  /// Targets that at least `count` transactions wait for.
  std::vector<std::string> targets_with(std::size_t count) const;
  /// The target that the transaction waits for, empty if it waits for none.
  std::string_view target_of(const Gid& gid) const;
  /// Takes out the next pass of the transaction that waits for the target and whose alarm comes
  /// first.
  std::optional<Wake> pop_waiting(std::string_view target, Cause cause, SteadyTime now);

  /// Adds to `found`, up to `limit` gids in it, those whose next pass is later than `time`, from
  /// an index of the table on and of one part at most. `from` moves behind what was looked at, up
  /// to `index_end()`. A transaction keeps its index until it is removed: who walks over all
  /// indexes meets each transaction once, whatever else happens meanwhile.
  void waiting_beyond(SteadyTime time, std::size_t limit, std::size_t& from,
                      std::vector<Gid>& found) const;
  std::size_t index_end() const noexcept { return table_.index_end(); }

  /// Create time of the oldest in some of the `parts()` of the table, WallTime::max() without one,
  /// rounded down to whole seconds. Transactions come and go while somebody walks over the parts in
  /// steps: what he finds is about right, which is enough.
  WallTime oldest_in(std::size_t part) const;
  std::size_t parts() const noexcept { return table_.index_end() / part_entries + 1; }

  /// Transactions with an alarm.
  std::size_t size() const noexcept { return heaps_.size(); }

 private:
  using Index = WaitingTable::Index;

  struct Times {
    SteadyTime next_pass = SteadyTime::max();
    SteadyTime timeout = SteadyTime::max();
  };
  static constexpr std::size_t part_entries = 4096;

  Times times(Index index) const noexcept;
  void set_times(Index index, Times times, AlarmHeaps::Heap heap);
  void set_later(Index index, SteadyTime later);
  AlarmHeaps::Heap heap_of(Index index) const noexcept;
  AlarmHeaps::Heap heap_for(std::string_view target);
  void leave_heap(Index index);

  WaitingTable table_;
  AlarmHeaps heaps_{table_};
  boost::unordered_flat_map<Index, SteadyTime> later_times_;  ///< of transactions with two alarms
  std::map<std::string, AlarmHeaps::Heap, std::less<>> heap_of_target_;
  std::map<AlarmHeaps::Heap, std::string_view> target_of_heap_;
};

}  // namespace concerto
