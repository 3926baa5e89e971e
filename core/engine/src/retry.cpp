#include "retry.hpp"

#include <algorithm>
#include <bit>

namespace concerto {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

seconds reset_interval(const TransOptions& trans, const CoordinatorOptions& options) {
  if (trans.retry_interval.count() != 0) return trans.retry_interval;
  const seconds timeout = trans.timeout_to_fail;
  if (timeout.count() > 0 && timeout < options.retry_interval) return timeout;
  return options.retry_interval;
}

seconds interval_after(IntervalKind kind, seconds current, seconds base,
                       const CoordinatorOptions& options) {
  switch (kind) {
    case IntervalKind::reset:
      return base;
    case IntervalKind::keep:
      return current.count() > 0 ? current : base;  // A row of others may have none.
    case IntervalKind::backoff:
      break;
  }
  // An interval that the transaction asks for is kept, even if it is above backoff_max.
  return std::max(std::min(current * 2, options.backoff_max), base);
}

std::int64_t backoff_count(seconds interval, seconds base) {
  const auto times = static_cast<std::uint64_t>(interval / std::max(base, seconds(1)));
  return static_cast<std::int64_t>(std::bit_width(times)) - 1;
}

nanoseconds jitter_max(seconds interval) noexcept {
  return nanoseconds(interval) / 16;
}

nanoseconds jitter(seconds interval, RandomSource& random) {
  const auto span = static_cast<std::uint64_t>(jitter_max(interval).count());
  return nanoseconds(span == 0 ? 0 : random.next() % span);
}

std::optional<SteadyTime> StoreRetry::next(SteadyTime now, RandomSource& random) {
  if (end_ == SteadyTime{}) end_ = now + patience_;
  // Half of the pause is random, so that changes that failed together are not tried again together.
  const nanoseconds half = pause_ / 2;
  const auto span = static_cast<std::uint64_t>(half.count());
  const SteadyTime at = now + half + nanoseconds(random.next() % span);
  pause_ = std::min<nanoseconds>(2 * pause_, pause_max);
  if (at > end_) return std::nullopt;
  return at;
}

milliseconds retry_pause(std::int64_t retry) {
  constexpr milliseconds first{100}, most{2000};
  const auto doublings = std::clamp<std::int64_t>(retry - 1, 0, 5);
  return std::min(first * (std::int64_t{1} << doublings), most);
}

}  // namespace concerto
