#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/engine/store.hpp>

namespace concerto::persist {

/// How long finished transactions are kept. Unfinished transactions stay for ever.
struct StoreRetention {
  std::chrono::seconds finished_expire{std::chrono::hours{24}};
  std::chrono::seconds failed_expire{std::chrono::hours{24}};  ///< of failed ones, if longer
  /// The oldest go earlier when the store is larger.
  std::uint64_t finished_bytes_max = std::uint64_t{10} << 30;
};

/// A store as the process sees it that opened it. The coordinator needs the Store alone.
class ManagedStore : public Store {
 public:
  /// From now on; applied by the store's next maintenance. On any thread.
  virtual void set_retention(const StoreRetention& retention) = 0;

  /// Does now what otherwise happens by size and time, retention above all. Blocks.
  [[nodiscard]] virtual Result<> maintain() = 0;

  /// A stop has begun, which cannot wait: a change that would wait for the system, for room on a
  /// disk say, fails from now on. Requests and `close` come later. On any thread.
  virtual void begin_stop() noexcept {}

  /// Writes what is queued and lets go of files and connections. Later changes get
  /// store_unavailable. Call it once, with no other call going on; a store that is destroyed
  /// closes itself.
  virtual void close() = 0;
};

}  // namespace concerto::persist
