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
  keep,     ///< the interval it has
  backoff,  ///< twice the interval it has, up to backoff_max
};

/// The interval that `IntervalKind::reset` gives.
std::chrono::seconds reset_interval(const TransOptions& trans, const CoordinatorOptions& options);

/// The interval of this kind, from the one in force and the reset one.
std::chrono::seconds interval_after(IntervalKind kind, std::chrono::seconds current,
                                    std::chrono::seconds base, const CoordinatorOptions& options);

/// How often `interval` was doubled since it was `base` (page 05, section 2.3).
std::int64_t backoff_count(std::chrono::seconds interval, std::chrono::seconds base);

/// What `jitter` is below.
std::chrono::nanoseconds jitter_max(std::chrono::seconds interval) noexcept;

/// Up to a sixteenth of an interval, so that what failed together is not retried together.
std::chrono::nanoseconds jitter(std::chrono::seconds interval, RandomSource& random);

/// Pause before retry number `retry` (from 1) of retry_limit: 100 ms, doubled up to 2 s.
std::chrono::milliseconds retry_pause(std::int64_t retry);

/// How long a new transaction waits for a busy store: long enough for a conflict inside the store,
/// and not for a server that is away. Nothing depends on the transaction yet.
inline constexpr std::chrono::milliseconds new_trans_patience{250};

/// When a change is tried again that the store was too busy for: after pauses that grow up to a
/// second, until the patience is over.
class StoreRetry {
 public:
  explicit StoreRetry(std::chrono::nanoseconds patience) noexcept : patience_(patience) {}

  /// The time of the next try; nullopt: there is none. The patience begins with the first call.
  std::optional<SteadyTime> next(SteadyTime now, RandomSource& random);

 private:
  static constexpr std::chrono::milliseconds pause_first{50};
  static constexpr std::chrono::milliseconds pause_max{1000};

  const std::chrono::nanoseconds patience_;
  std::chrono::nanoseconds pause_ = pause_first;
  SteadyTime end_{};  ///< of the patience; none yet before the first call
};

}  // namespace concerto
