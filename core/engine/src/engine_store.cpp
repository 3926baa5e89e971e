// What a store's trouble means for transactions. A change that the store was too busy for is tried
// again for a while, and what it carried is not lost; of a change whose outcome is not known the
// store tells later.

#include "engine.hpp"

namespace concerto {

/// When a change is to be tried again that the store answered so, nullopt if the answer stands.
std::optional<SteadyTime> Engine::try_again_at(const LiveTrans& live, const Result<>& answer,
                                               StoreRetry& retry) {
  if (answer || stopping_ || answer.error().code != Errc::store_busy) return std::nullopt;
  const auto at = retry.next(ports_.timers.now(), ports_.random);
  if (at) {
    log_limited(LogLevel::warn, live, "changes that the store is too busy for",
                "change not stored yet: " + answer.error().detail, 1);
  }
  return at;
}

/// With the turn: the next request for this transaction waits too. A stop ends the pause.
Task<void> Engine::pause_for_store(LiveTrans& live, SteadyTime until) {
  Timer timer(ports_.timers, [&live] { live.progressed.notify_all(); });
  timer.set(until);
  while (!stopping_ && ports_.timers.now() < until) {
    const bool notified = co_await live.progressed.wait();
    if (!notified) co_return;
  }
}

/// After a change that is not stored. `live` stays in memory for somebody else, or leaves it.
void Engine::note_not_stored(LiveTrans& live, TransDelta delta, const Error& error) {
  // They all fail for the one reason.
  log_limited(LogLevel::error, live, "changes that are not stored",
              "change not stored: " + error.detail, 1);
  if (error.code == Errc::store_busy) {
    // Nothing has changed, and what the change carried is as unsaved as before.
    live.unsaved.insert(live.unsaved.begin(), delta.branch_changes.begin(),
                        delta.branch_changes.end());
    live.retry_count_unsaved |= delta.retry_count.has_value();
    if (live.has_unsaved() && !stopping_) mark_unsaved(live);
    return;
  }
  // What is stored now is for the store to tell.
  live.knowledge = LiveTrans::Knowledge::none;
  if (!live.is_driven()) find_out_later(live.gid, error);
}

/// A store that recovers may have made a change that a request heard nothing of: looks at the
/// transaction after a while, and drives it if there is something to do. A driver does so itself.
void Engine::find_out_later(const Gid& gid, const Error& error) {
  if (error.code != Condition::outcome_unknown) return;
  wakes_.set_wake(gid, ports_.timers.now() + options_.retry_interval);
}

/// What those hear who wait for a pass that an error of the store has ended. What they asked for
/// was stored before: that a later change was not does not mean that nothing happened.
Error Engine::pass_not_stored(const LiveTrans& live, Error error) {
  if (error.code != Errc::store_busy) return error;
  return make_error(
      Errc::store_failed,
      "gid " + live.gid.str() + " goes on when the store is less busy: " + error.detail);
}

}  // namespace concerto
