#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <concerto/base/export.hpp>

namespace concerto {

/// A count that one thread writes and any thread may read. Writing takes no locked instruction.
class CONCERTO_EXPORT Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A histogram of times, with buckets from 100 us to 10 s. One thread writes it, and any thread may
/// read it.
class CONCERTO_EXPORT TimeHistogram {
 public:
  /// Upper bounds of the buckets. One more bucket holds all longer times.
  static constexpr std::array bounds{
      std::chrono::microseconds(100),       std::chrono::microseconds(250),
      std::chrono::microseconds(500),       std::chrono::microseconds(1'000),
      std::chrono::microseconds(2'500),     std::chrono::microseconds(5'000),
      std::chrono::microseconds(10'000),    std::chrono::microseconds(25'000),
      std::chrono::microseconds(50'000),    std::chrono::microseconds(100'000),
      std::chrono::microseconds(250'000),   std::chrono::microseconds(500'000),
      std::chrono::microseconds(1'000'000), std::chrono::microseconds(2'500'000),
      std::chrono::microseconds(5'000'000), std::chrono::microseconds(10'000'000)};

  void add(std::chrono::nanoseconds took) noexcept {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin();
    counts_[static_cast<std::size_t>(bucket)].add();
    sum_ns_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count())));
  }

  /// Number of times in bucket `index` alone; bounds.size() is the bucket without a bound.
  std::uint64_t count(std::size_t index) const noexcept { return counts_[index].value(); }
  std::chrono::nanoseconds sum() const noexcept {
    return std::chrono::nanoseconds(sum_ns_.value());
  }

 private:
  std::array<Counter, bounds.size() + 1> counts_;
  Counter sum_ns_;
};

}  // namespace concerto
