#pragma once

#include <cstdint>

namespace concerto {

/// Source of randomness for gids and jitter. Each shard has its own and uses it alone.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t next() = 0;
};

}  // namespace concerto
