#pragma once

#include <cstdint>

#include <concerto/base/export.hpp>

namespace concerto {

/// Source of randomness for gids and jitter. Each shard has its own and uses it alone.
class CONCERTO_EXPORT RandomSource {
 public:
  virtual ~RandomSource() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t next() = 0;
};

}  // namespace concerto
