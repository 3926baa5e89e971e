#pragma once

#include <cstdint>

namespace concerto {

/// Source of gids and of jitter. One per shard; used on that shard only.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t next() = 0;
};

}  // namespace concerto
