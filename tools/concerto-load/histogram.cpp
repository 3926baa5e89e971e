#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace concerto::load {
namespace {

/// The number of the doubling in which a value is. Values below sub_bucket_count are in the first
/// one.
unsigned bucket_of(std::uint64_t value) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(value | (Histogram::sub_bucket_half)));
  return width - static_cast<unsigned>(std::bit_width(Histogram::sub_bucket_count - 1));
}

}  // namespace

Histogram::Histogram() : counts_((bucket_count + 1) * sub_bucket_half) {}

// Each value of the first bucket has an index of its own. Of each later bucket only the upper half
// has indexes, because the lower half is in the bucket before.
std::size_t Histogram::index_of(std::uint64_t value) noexcept {
  if (value < sub_bucket_count) return value;
  const unsigned bucket = bucket_of(value);
  return bucket * sub_bucket_half + (value >> bucket);
}

std::uint64_t Histogram::lowest_of(std::size_t index) noexcept {
  if (index < sub_bucket_count) return index;
  const std::size_t bucket = index / sub_bucket_half - 1;
  return (index - bucket * sub_bucket_half) << bucket;
}

std::uint64_t Histogram::highest_of(std::size_t index) noexcept {
  return lowest_of(index + 1) - 1;
}

void Histogram::record(std::uint64_t value) noexcept {
  value = std::min(value, value_max);
  ++counts_[index_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::clear() noexcept {
  std::ranges::fill(counts_, 0);
  count_ = 0;
  max_ = 0;
  sum_ = 0;
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

double Histogram::standard_deviation() const noexcept {
  if (count_ == 0) return 0;
  double squares = 0;
  for (std::size_t index = 0; index < counts_.size(); ++index) {
    if (counts_[index] == 0) continue;
    const auto middle = static_cast<double>(lowest_of(index) + highest_of(index)) / 2;
    squares += (middle - mean()) * (middle - mean()) * static_cast<double>(counts_[index]);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

Histogram::Place Histogram::at(double share) const noexcept {
  const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
  // Rounding may put a product just above a whole number. That whole number is meant.
  const double whole = std::ceil(std::nextafter(rank, 0));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(whole), 1,
                                                std::max<std::uint64_t>(count_, 1));
  Place place;
  for (std::size_t index = 0; index < counts_.size() && place.cumulative < count_; ++index) {
    place.cumulative += counts_[index];
    place.value = std::min(highest_of(index), max_);
    if (place.cumulative >= wanted) break;
  }
  return place;
}

}  // namespace concerto::load
