#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// The interval for which a transaction waits after a pass that did not finish it (page 05,
/// section 2.1).
enum class IntervalKind : std::uint8_t {
  reset,    ///< the transaction's own interval
  keep,     ///< the same interval again
  backoff,  ///< twice the interval, up to backoff_max
};

/// The interval that `IntervalKind::reset` gives.
std::chrono::seconds reset_interval(const TransOptions& trans, const CoordinatorOptions& options);

/// The next interval. `current` is the interval in force, and `base` the one that `reset` gives.
std::chrono::seconds interval_after(IntervalKind kind, std::chrono::seconds current,
                                    std::chrono::seconds base, const CoordinatorOptions& options);

/// How often `interval` has been doubled since it was `base` (page 05, section 2.3).
std::int64_t backoff_count(std::chrono::seconds interval, std::chrono::seconds base);

/// The limit of `jitter`.
std::chrono::nanoseconds jitter_max(std::chrono::seconds interval) noexcept;

/// A random time up to a sixteenth of an interval, so that transactions that failed together are
/// not retried together.
std::chrono::nanoseconds jitter(std::chrono::seconds interval, RandomSource& random);

/// The pause before retry number `retry` (from 1) of retry_limit: 100 ms, doubled up to 2 s.
std::chrono::milliseconds retry_pause(std::int64_t retry);

/// How long the creation of a transaction is tried again while the store is busy: long enough for a
/// conflict inside the store, and not for a server that is away. A new transaction may be refused,
/// because nothing depends on it yet.
inline constexpr std::chrono::milliseconds new_trans_patience{250};

/// When to try a change again that the store was too busy for: after pauses that grow up to a
/// second, until the patience is over.
class StoreRetry {
 public:
  explicit StoreRetry(std::chrono::nanoseconds patience) noexcept : patience_(patience) {}

  /// The time of the next try, nullopt if there is none. The patience begins with the first call.
  std::optional<SteadyTime> next(SteadyTime now, RandomSource& random);

 private:
  static constexpr std::chrono::milliseconds pause_first{50};
  static constexpr std::chrono::milliseconds pause_max{1000};

  const std::chrono::nanoseconds patience_;
  std::chrono::nanoseconds pause_ = pause_first;
  SteadyTime end_{};  ///< the end of the patience; SteadyTime{} before the first call
};

}  // namespace concerto
