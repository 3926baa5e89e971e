#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// How much room a store's disk has. While there is enough it keeps a reserve, a file of zeros; on
/// a small disk a smaller one, of one of the sizes that `reserve_size_for` gives. When room runs
/// out, new transactions are refused first; then half of the reserve is given up, so that those
/// that are unfinished can end. The other half goes piece by piece, each for an operation that
/// finds no space; its last piece goes only for a start.
///
/// `look` on one thread; the rest is thread-safe.
class DiskRoom {
 public:
  struct Limits {
    std::uint64_t reserve_bytes;   ///< of the file; new transactions need as much beside it. 0: off
    std::uint64_t free_bytes_min;  ///< below it the log warns
  };
  using Log = std::function<void(LogLevel, const std::string&)>;

  DiskRoom(Disk& disk, std::string store, const Limits& limits, Log log);

  /// Looks how much is free; makes a piece of the reserve, or gives it up.
  void look();

  /// Gives up a piece of the reserve; false when nothing of it is to be given up now: a store that
  /// serves keeps it while all that may be given up is less than `wanted`.
  bool give_up_piece(std::uint64_t wanted);
  /// From now on the last piece is kept for the next start.
  void keep_for_a_start() noexcept { keeps_last_.store(true, std::memory_order_relaxed); }

  std::uint64_t free_bytes() const noexcept { return free_.load(std::memory_order_relaxed); }
  /// Less than Limits::free_bytes_min is free.
  bool is_low() const noexcept { return low_.load(std::memory_order_relaxed); }
  /// What is left is for the ends of unfinished transactions.
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
  Mutex mutex_;                                               ///< while the file changes
  std::uint64_t held_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;  ///< of the reserve
  /// Size of a smaller reserve that the log has told.
  std::uint64_t told_bytes_ CONCERTO_GUARDED_BY(mutex_) = UINT64_MAX;
  /// The log has told that pieces are given up.
  bool told_giving_ CONCERTO_GUARDED_BY(mutex_) = false;
  bool looked_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::atomic<bool> keeps_last_ = false;
  std::atomic<std::uint64_t> free_ = UINT64_MAX;
  std::atomic<bool> low_ = false;
  std::atomic<bool> short_ = false;
};

/// The size of a reserve where `room` bytes are free or held by it already: the wanted size, 3/8 or
/// 1/16 of it, so that as much as `wanted` and twice the reserve are left. 0: none fits.
std::uint64_t reserve_size_for(std::uint64_t wanted, std::uint64_t room) noexcept;

/// Where a store keeps its reserve.
std::string reserve_path(const std::string& store);

/// Bytes of the files of zeros that a closed store has: its spare log and its reserve.
std::uint64_t bytes_of_zeros(const std::string& store) noexcept;
/// Removes them.
Result<> remove_zeros(Disk& disk, const std::string& store);

}  // namespace concerto::persist
