#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace concerto::load {

/// Counts of whole numbers, here microseconds, in buckets that are at most 0.1 percent of their
/// values wide: 2,048 buckets for one value each, then 1,024 for each doubling. All memory is
/// allocated at the beginning. The layout is HdrHistogram's with three digits.
class Histogram {
 public:
  static constexpr std::uint64_t sub_bucket_count = 2048;
  static constexpr std::uint64_t sub_bucket_half = sub_bucket_count / 2;
  static constexpr std::size_t bucket_count = 21;
  /// 35 minutes. A larger value counts as this one.
  static constexpr std::uint64_t value_max = (sub_bucket_count << (bucket_count - 1)) - 1;

  Histogram();

  void record(std::uint64_t value) noexcept;
  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }
  /// The exact maximum; 0 without values.
  std::uint64_t max() const noexcept { return max_; }
  double mean() const noexcept;
  double standard_deviation() const noexcept;

  struct Place {
    std::uint64_t value = 0;       ///< the highest value of its bucket, but at most max()
    std::uint64_t cumulative = 0;  ///< number of values in its bucket and below
  };
  /// The smallest value that at least this share (0 to 1) of the values does not exceed, as exactly
  /// as the buckets allow. Zeros without values.
  Place at(double share) const noexcept;
  std::uint64_t value_at(double share) const noexcept { return at(share).value; }

 private:
  static std::size_t index_of(std::uint64_t value) noexcept;
  static std::uint64_t lowest_of(std::size_t index) noexcept;
  static std::uint64_t highest_of(std::size_t index) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace concerto::load
