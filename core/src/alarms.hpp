#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include <concerto/core/clock.hpp>
#include <concerto/core/ids.hpp>

namespace concerto {

/// When the transactions of one shard that rest in the store are looked at again.
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

  void set_wake(const Gid& gid, SteadyTime at);
  void set_timeout(const Gid& gid, SteadyTime at);
  void cancel_wake(const Gid& gid);
  void cancel(const Gid& gid);

  /// Time of the earliest alarm, SteadyTime::max() without one.
  SteadyTime earliest() const noexcept;
  /// Takes out one alarm that is due, if there is one.
  std::optional<Due> pop_due(SteadyTime now);

  /// At most `limit` gids that are to be woken later than `time`, in no order.
  std::vector<Gid> waking_after(SteadyTime time, std::size_t limit) const;

  std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Times {
    SteadyTime wake = SteadyTime::max();
    SteadyTime timeout = SteadyTime::max();
    std::size_t index = npos;
    SteadyTime first() const noexcept { return wake < timeout ? wake : timeout; }
  };
  using Entry = std::unordered_map<Gid, Times>::value_type;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  void update(Entry& entry);
  void remove(Entry& entry);
  void place(std::size_t index, Entry* entry) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  std::unordered_map<Gid, Times> times_;
  std::vector<Entry*> heap_;
};

}  // namespace concerto
