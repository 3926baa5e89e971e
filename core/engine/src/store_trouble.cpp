#include "store_trouble.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

namespace concerto {

std::optional<SteadyTime> StoreTrouble::try_again_at(const LiveTrans& live, const Result<>& answer,
                                                     StoreRetry& retry) {
  if (answer || env_.stopping || answer.error().code != EngineErrc::store_busy) return std::nullopt;
  const auto at = retry.next(env_.now(), env_.ports.random);
  // Of a new transaction nothing is lost: its client is told, and the store's own line tells the
  // operator. A client that repeats its request would fill the log.
  if (live.knowledge != LiveTrans::Knowledge::present) return at;
  if (at) {
    log_.write_limited(level(LogLevel::warn), live, "changes that the store is too busy for",
                       "change not stored yet: " + answer.error().detail, 1);
  }
  return at;
}

LogLevel StoreTrouble::level(LogLevel worst) const {
  return env_.store.health().is_told() ? LogLevel::debug : worst;
}

Task<void> StoreTrouble::pause_for_store(LiveTrans& live, SteadyTime until) {
  CONCERTO_ASSERT(live.turn.is_taken);
  Timer timer(env_.ports.timers, [&live] { live.progressed.notify_all(); });
  timer.set(until);
  while (!env_.stopping && env_.now() < until) {
    const bool notified = co_await live.progressed.wait();
    if (!notified) co_return;
  }
}

void StoreTrouble::find_out_later(const LiveTrans& live, const Error& error) {
  if (error.code != Condition::outcome_unknown) return;
  const SteadyTime later = env_.now() + env_.options.retry_interval;
  wakes_.set_next_pass(live.gid, std::max(later, live.others_until));
}

}  // namespace concerto
