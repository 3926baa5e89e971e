#pragma once

#include <chrono>
#include <cstdint>

#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// How long a transaction rests after a pass that did not finish it (page 05, section 2.1).
enum class Rest : std::uint8_t {
  reset,    ///< the transaction's own interval
  keep,     ///< the interval it has
  backoff,  ///< twice the interval it has, up to backoff_max
};

/// The interval that `Rest::reset` gives.
std::chrono::seconds reset_interval(const TransOptions& trans, const CoordinatorOptions& options);

/// The interval after a rest of this kind, from the one in force and the reset one.
std::chrono::seconds interval_after(Rest rest, std::chrono::seconds current,
                                    std::chrono::seconds base, const CoordinatorOptions& options);

/// How often `interval` was doubled since it was `base` (page 05, section 2.3).
std::int64_t backoff_count(std::chrono::seconds interval, std::chrono::seconds base);

/// What `jitter` is below.
std::chrono::nanoseconds jitter_max(std::chrono::seconds interval) noexcept;

/// Up to a sixteenth of an interval, so that what failed together is not retried together.
std::chrono::nanoseconds jitter(std::chrono::seconds interval, RandomSource& random);

/// Pause before retry number `retry` (from 1) of retry_limit: 100 ms, doubled up to 2 s.
std::chrono::milliseconds retry_pause(std::int64_t retry);

}  // namespace concerto
