#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis_lane.hpp"

namespace concerto::persist {

/// What a server of Redis says about itself. Absent: it did not say.
struct RedisFacts {
  std::string version;
  std::optional<bool> append_only;          ///< appendonly
  std::optional<std::string> append_fsync;  ///< appendfsync: always, everysec or no
  std::int64_t replicas = 0;                ///< connected now
  std::int64_t memory_max = 0;              ///< maxmemory; 0: no limit
  std::string eviction;                     ///< maxmemory_policy

  /// Takes what it knows out of an answer of INFO.
  void read_info(std::string_view text);
};

/// Which faults the acknowledged changes survive, for the log, for /readyz and for docs.
struct RedisPromise {
  std::string text;                   ///< one sentence
  std::vector<std::string> warnings;  ///< a sentence for each; empty if changes survive every fault
};

RedisPromise promise_of(const RedisFacts& facts, const ReplicaWait& wait);

}  // namespace concerto::persist
