#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <concerto/core/clock.hpp>
#include <concerto/core/ids.hpp>
#include <concerto/core/transaction.hpp>

namespace concerto {

/// The unfinished transactions of one shard that rest in the store, and when they are looked at
/// again.
///
/// A gid has at most two times, in steady time: its wake (retry, ongoing branch, delay, recovery)
/// and its timeout. Nothing else is in memory for it. Not thread-safe.
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

  /// At most `limit` gids that are to be woken later than `time`, in no order.
  std::vector<Gid> waking_after(SteadyTime time, std::size_t limit) const;

  /// Create time of the oldest in some of the `parts()` of the table, WallTime::max() without one.
  /// Parts change when the table grows: a walk over them in steps is about right, which is enough.
  WallTime oldest_in(std::size_t part) const;
  std::size_t parts() const noexcept { return times_.bucket_count() / part_buckets + 1; }

  /// Transactions with an alarm.
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Times {
    SteadyTime wake = SteadyTime::max();
    SteadyTime timeout = SteadyTime::max();
    WallTime create_time = WallTime::max();
    std::uint32_t index = npos;
    TransType type{};
    SteadyTime first() const noexcept { return wake < timeout ? wake : timeout; }
    bool is_known() const noexcept { return create_time != WallTime::max(); }
  };
  using Entry = std::unordered_map<Gid, Times>::value_type;
  static constexpr std::uint32_t npos = 0xFFFFFFFF;
  static constexpr std::size_t part_buckets = 4096;

  void update(Entry& entry);
  void leave_heap(Times& times);
  void place(std::size_t index, Entry* entry) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  std::unordered_map<Gid, Times> times_;
  std::vector<Entry*> heap_;
};

}  // namespace concerto
