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

/// The waiting transactions of one shard, and when each of them is woken. The transactions
/// themselves are in the store alone.
///
/// A gid has at most two alarms, in steady time: one for its next pass (retry, ongoing branch,
/// delay, recovery) and one for its timeout. A gid takes 48 bytes of memory with one alarm, and 36
/// without an alarm. A second alarm takes about 35 more, and so does a gid that does not fit into a
/// GidKey. The table does not shrink. Not thread-safe.
///
/// A gid may also wait for a target that did not answer it: then its next pass can be taken out
/// before its time, when the target is known to answer. The gid takes no more memory for this, and
/// each target takes a few kilobytes, up to `targets_max` targets.
class Alarms {
 public:
  /// A transaction that would wait for one more target waits for its time alone.
  static constexpr std::size_t targets_max = 1024;

  /// Why a transaction is woken.
  enum class Cause : std::uint8_t {
    time,    ///< an alarm is due
    trial,   ///< the transaction is tried on behalf of all that wait for its target
    answer,  ///< its target answers again
  };
  /// What ends the waiting of a transaction: at least one of its alarms, which is taken out.
  struct Wake {
    Gid gid;
    bool next_pass = false;
    bool timeout = false;
    Cause cause = Cause::time;
  };

  /// Adds a transaction, without an alarm. False if it was added before.
  bool add(const Gid& gid, TransType type, WallTime create_time);
  /// The type of a transaction that was added; nullopt for any other gid.
  std::optional<TransType> type_of(const Gid& gid) const;

  /// Sets the alarm for the next pass. `target`: the target that the transaction waits for until
  /// then; empty if it waits for its time alone.
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
  /// Takes out all due alarms of one transaction; nullopt if no alarm is due.
  std::optional<Wake> pop_due(SteadyTime now);

  /// Whether any transaction waits for a target.
  bool any_waits() const noexcept { return !heap_of_target_.empty(); }
  std::size_t waiting_for(std::string_view target) const;
  /// Adds to `by_target` how many transactions wait for each target.
  void count_waiting(std::map<std::string, std::size_t>& by_target) const;
  /// The targets that at least `count` transactions wait for.
  std::vector<std::string> targets_with(std::size_t count) const;
  /// The target that the transaction waits for, empty if it waits for none.
  std::string_view target_of(const Gid& gid) const;
  /// Takes out the next pass of one transaction that waits for the target: of the one whose alarm
  /// is the earliest.
  std::optional<Wake> pop_waiting(std::string_view target, Cause cause, SteadyTime now);

  /// Adds to `found` the gids whose next pass is later than `time`, until `found` has `limit` gids.
  /// Looks at the indexes of the table from `from` on, a limited number in one call, and moves
  /// `from` behind them, up to `index_end()`. A transaction keeps its index until it is removed: a
  /// walk over all indexes meets each transaction once, whatever else happens meanwhile.
  void waiting_beyond(SteadyTime time, std::size_t limit, std::size_t& from,
                      std::vector<Gid>& found) const;
  std::size_t index_end() const noexcept { return table_.index_end(); }

  /// The create time of the oldest transaction in one of the `parts()` of the table, rounded down
  /// to whole seconds; WallTime::max() without one. Transactions come and go during a walk over all
  /// parts, so what a walk finds is about right, which is enough.
  WallTime oldest_in(std::size_t part) const;
  std::size_t parts() const noexcept { return table_.index_end() / part_entries + 1; }

  /// The number of transactions with an alarm.
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
