// What requests do about transactions on which another coordinator works.

#include <algorithm>

#include "requests.hpp"

namespace concerto {

/// Whether another coordinator has taken the transaction meanwhile.
bool Requests::has_lost_lease(const Result<>& done) const noexcept {
  return env_.ownership != nullptr && !done && done.error().code == EngineErrc::lease_lost;
}

/// Before the transaction is claimed once more: the other coordinator has nearly finished its own
/// request for it.
Async<> Requests::pause_for_lease(LiveTrans& live, StoreRetry& retry) {
  const auto again = retry.next(env_.now(), env_.ports.random);
  if (!again || env_.stopping) {
    co_return make_error(EngineErrc::store_busy,
                         "other coordinators change gid " + live.gid.str() + " at the same time");
  }
  co_await trouble_.pause_for_store(live, *again);
  co_return ok();
}

/// Waits until the pass ends that another coordinator carries out, and tells its result as
/// wait_for_pass does. A failed transaction gives trans_failed.
Async<> Requests::wait_for_others(Pin pin, SteadyTime until) {
  CONCERTO_CO_TRY(const Transaction followed, co_await follow(std::move(pin), until));
  const Mode* mode = env_.modes.find(followed.type);
  if (!is_final(followed.status) && mode != nullptr &&
      mode->reports == Reports::errors_and_ongoing) {
    // The other coordinator alone knows how its calls ended. The transaction goes on in any case.
    co_return make_error(EngineErrc::branch_ongoing, "ONGOING");
  }
  const Result<> told = passes_.answer_of(followed);
  if (told || followed.status != TransStatus::failed) co_return told;
  co_return make_error(EngineErrc::trans_failed, told.error().detail);
}

/// Reads the transaction until it is finished or waits in the store.
Async<Transaction> Requests::follow(Pin pin, SteadyTime until) {
  constexpr std::chrono::milliseconds pause_first{50}, pause_max{1000};
  LiveTrans& live = *pin;
  Timer timer(env_.ports.timers, [&live] { live.progressed.notify_all(); });
  for (auto pause = pause_first;; pause = std::min(2 * pause, pause_max)) {
    const auto found =
        co_await patience_.bound(live.gid, Patience::Deed::reads, until, env_.store.load(live.gid));
    if (!found && found.error().code != EngineErrc::store_busy) co_return found.error();
    if (found && !*found) {
      co_return make_error(EngineErrc::trans_not_found,
                           "no TransGlobal with gid: " + live.gid.str() + " found");
    }
    if (found) {
      const Transaction& trans = **found;
      const bool waits = trans.waits && trans.next_cron_time > env_.clock.wall_now();
      if (is_final(trans.status) || waits) co_return trans;
    }
    const SteadyTime next = std::min(until, env_.now() + pause);
    timer.set(next);
    while (!env_.stopping && env_.now() < next) {
      const bool notified = co_await live.progressed.wait();
      if (!notified) co_return shutting_down();
    }
    if (env_.stopping) co_return shutting_down();
    if (env_.now() >= until) {
      co_return make_error(Errc::deadline_exceeded,
                           "gid " + live.gid.str() + " is still being processed");
    }
  }
}

}  // namespace concerto
