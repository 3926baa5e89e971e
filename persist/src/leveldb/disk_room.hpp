#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// Watches how much room a store's disk has. While there is enough, it keeps a reserve: a file of
/// zeros, which is smaller on a small disk (`reserve_size_for`). When room runs out, new
/// transactions are refused first. Then half of the reserve is given up, so that unfinished
/// transactions can end. The other half is given up piece by piece, each piece for an operation
/// that finds no space. The last piece is kept for the next start.
///
/// One thread calls `look`; the other functions are thread-safe.
class DiskRoom {
 public:
  struct Limits {
    std::uint64_t reserve_bytes;   ///< size of the reserve; new transactions need as much room
                                   ///< besides; 0: no reserve
    std::uint64_t free_bytes_min;  ///< the log warns if less is free
  };
  using Log = std::function<void(LogLevel, const std::string&)>;

  DiskRoom(Disk& disk, std::string store, const Limits& limits, Log log);

  /// Measures the free room, and adds to the reserve or gives up half of it.
  void look();

  /// Gives up a piece of the reserve. False if no piece may be given up now. A running store keeps
  /// its reserve if everything that may be given up is less than `wanted`.
  bool give_up_piece(std::uint64_t wanted);
  /// From this call on, the last piece is kept for the next start.
  void keep_for_a_start() noexcept { keeps_last_.store(true, std::memory_order_relaxed); }

  std::uint64_t free_bytes() const noexcept { return free_.load(std::memory_order_relaxed); }
  /// Whether less than Limits::free_bytes_min is free.
  bool is_low() const noexcept { return low_.load(std::memory_order_relaxed); }
  /// Whether the remaining room is kept for the ends of unfinished transactions.
  bool is_short() const noexcept { return short_.load(std::memory_order_relaxed); }

 private:
  void judge(std::uint64_t free);
  void tell_smaller(std::uint64_t fitting) CONCERTO_REQUIRES(mutex_);
  void tell_no_future(std::uint64_t free);
  Result<> grow(std::uint64_t size) CONCERTO_REQUIRES(mutex_);
  Result<> cut_to(std::uint64_t kept) CONCERTO_REQUIRES(mutex_);

  Disk& disk_;
  const std::string store_;
  const Limits limits_;
  const Log log_;
  Mutex mutex_;                                               ///< held while the file changes
  std::uint64_t held_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;  ///< size of the reserve
  /// The size of a smaller reserve that was logged last.
  std::uint64_t told_bytes_ CONCERTO_GUARDED_BY(mutex_) = UINT64_MAX;
  /// Whether the log already says that pieces are given up.
  bool told_giving_ CONCERTO_GUARDED_BY(mutex_) = false;
  bool looked_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::atomic<bool> keeps_last_ = false;
  std::atomic<std::uint64_t> free_ = UINT64_MAX;
  std::atomic<bool> low_ = false;
  std::atomic<bool> short_ = false;
};

/// The size of the reserve if `room` bytes are free or held by it already: `wanted`, or 3/8 or 1/16
/// of it, so that `wanted` and twice the reserve are left. 0: no size fits.
std::uint64_t reserve_size_for(std::uint64_t wanted, std::uint64_t room) noexcept;

/// The path of a store's reserve.
std::string reserve_path(const std::string& store);

/// Bytes of the files of zeros that a closed store has: its spare log and its reserve.
std::uint64_t bytes_of_zeros(const std::string& store) noexcept;
/// Removes these two files.
Result<> remove_zeros(Disk& disk, const std::string& store);

}  // namespace concerto::persist
