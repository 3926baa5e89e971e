#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <concerto/engine/observer.hpp>

#include "disk.hpp"

namespace concerto::persist {

/// How much room a store's disk has. While there is enough it keeps a reserve, a file of zeros; on
/// a small disk a smaller one, of one of the sizes that `reserve_size_for` gives. When room runs
/// out, new transactions are refused first; then half of the reserve is given up, so that those
/// that are unfinished can end. The other half goes when a store cannot be opened for want of
/// space.
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

  std::uint64_t free_bytes() const noexcept { return free_.load(std::memory_order_relaxed); }
  /// Less than Limits::free_bytes_min is free.
  bool is_low() const noexcept { return low_.load(std::memory_order_relaxed); }
  /// What is left is for the ends of unfinished transactions.
  bool is_short() const noexcept { return short_.load(std::memory_order_relaxed); }

 private:
  void judge(std::uint64_t free);
  void tell_smaller(std::uint64_t fitting);
  Result<> grow(std::uint64_t size);
  Result<> give_up_half(std::uint64_t kept);

  Disk& disk_;
  const std::string store_;
  const Limits limits_;
  const Log log_;
  std::uint64_t held_bytes_ = 0;           ///< of the reserve
  std::uint64_t told_bytes_ = UINT64_MAX;  ///< size of a smaller reserve that the log has told
  std::atomic<std::uint64_t> free_ = UINT64_MAX;
  std::atomic<bool> low_ = false;
  std::atomic<bool> short_ = false;
};

/// The size of a reserve where `room` bytes are free or held by it already: the wanted size, 3/8 or
/// 1/16 of it, so that as much as `wanted` and twice the reserve are left. 0: none fits.
std::uint64_t reserve_size_for(std::uint64_t wanted, std::uint64_t room) noexcept;

/// Where a store keeps its reserve.
std::string reserve_path(const std::string& store);

/// Removes a closed store's files of zeros: its spare log and its reserve.
Result<> remove_zeros(Disk& disk, const std::string& store);
/// Makes room to open a closed store: removes its spare log; or, if it has none, gives up half of
/// its reserve, for another start may need the rest. False when nothing is left to give up.
Result<bool> give_up_some(Disk& disk, const std::string& store);

}  // namespace concerto::persist
