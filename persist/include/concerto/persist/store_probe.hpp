#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <concerto/base/export.hpp>

namespace concerto::persist {

/// Counters of a store; the metrics page only reads them. Each counter is written by one thread or
/// atomically. Together they are not a snapshot of one moment.
struct CONCERTO_EXPORT StoreProbe {
  using Counter = std::atomic<std::uint64_t>;

  /// Bucket i counts syncs of less than 2^i microseconds that are in no earlier bucket; the last
  /// bucket has all longer syncs.
  static constexpr std::size_t sync_buckets = 24;
  /// Bucket i counts groups of less than 2^i changes that are in no earlier bucket.
  static constexpr std::size_t size_buckets = 16;

  Counter groups = 0;          ///< written groups, one sync each
  Counter changes = 0;         ///< records in them
  Counter bytes = 0;           ///< of their values
  Counter refused = 0;         ///< new transactions that found no room in the queue
  Counter queued_changes = 0;  ///< changes in the queue now
  Counter queued_bytes = 0;    ///< bytes in the queue now
  Counter disk_bytes = 0;      ///< size of the segments' files at the last maintenance
  Counter disk_reads = 0;      ///< loads that had to read from the disk
  Counter checkpoints = 0;
  Counter segments_opened = 0;
  Counter segments_dropped = 0;
  Counter sync_ns = 0;  ///< total time of all writes and their syncs
  std::array<Counter, sync_buckets> sync_times{};
  std::array<Counter, size_buckets> group_sizes{};

  void add_group(std::size_t size) noexcept {
    const auto bucket = static_cast<std::size_t>(std::bit_width(size));
    group_sizes[bucket < size_buckets ? bucket : size_buckets - 1].fetch_add(
        1, std::memory_order_relaxed);
  }
  void add_sync(std::chrono::nanoseconds took) noexcept {
    const auto ns = static_cast<std::uint64_t>(took.count() < 0 ? 0 : took.count());
    sync_ns.fetch_add(ns, std::memory_order_relaxed);
    const auto bucket = static_cast<std::size_t>(std::bit_width(ns / 1000));
    sync_times[bucket < sync_buckets ? bucket : sync_buckets - 1].fetch_add(
        1, std::memory_order_relaxed);
  }
};

}  // namespace concerto::persist
