#pragma once

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>

namespace concerto {

/// The machine's clocks. Thread-safe.
class CONCERTO_EXPORT SystemClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override;
  WallTime wall_now() const noexcept override;
};

/// The kernel's random bits, fetched in blocks. Not thread-safe: one per shard.
class CONCERTO_EXPORT SystemRandom final : public RandomSource {
 public:
  std::uint64_t next() override;

 private:
  static constexpr unsigned block_words = 32;
  std::uint64_t block_[block_words] = {};
  unsigned used_ = block_words;
};

}  // namespace concerto
