// How a transaction changes in the store.

#include <concerto/base/assert.hpp>

#include "engine.hpp"

namespace concerto {

/// By whoever has the turn.
Async<> Engine::commit(LiveTrans& live, TransDelta delta, Durability durability) {
  CONCERTO_ASSERT(live.turn.is_taken);
  const TransStatus expected = live.trans.status;
  CONCERTO_ASSERT(!delta.status || may_become(expected, *delta.status));
  if (delta.at == WallTime{}) delta.at = clock_.wall_now();
  // Whatever is written carries every result known so far.
  delta.branch_changes = std::exchange(live.unsaved, {});
  if (std::exchange(live.retry_count_unsaved, false)) delta.retry_count = live.trans.retry_count;
  if (live.is_linked()) live.unlink();
  CONCERTO_ASSERT(fits(live.trans, delta));
  UpdateTrans update;
  update.gid = live.gid;
  update.expected = expected;
  update.delta = delta;
  Change change;
  change.what = std::move(update);
  change.durability = durability;
  const Result<> committed = co_await store_.commit(std::move(change));
  if (!committed) {
    // What is stored now is for the store to tell.
    live.knowledge = LiveTrans::Knowledge::none;
    // They all fail for the one reason.
    log_limited(LogLevel::error, live, "changes that are not stored",
                "change not stored: " + committed.error().detail, 1);
    co_return committed;
  }
  // Nobody else has changed it while it was stored.
  CONCERTO_ASSERT(live.turn.is_taken && live.trans.status == expected);
  apply(live.trans, delta);
  co_return ok();
}

Async<> Engine::change_status(LiveTrans& live, StatusChange change) {
  TransDelta delta;
  delta.status = change.to;
  if (!change.rollback_reason.empty()) {
    delta.rollback_reason = truncated_reason(std::move(change.rollback_reason));
  }
  if (!change.result.empty()) delta.result = std::move(change.result);
  delta.at = clock_.wall_now();
  if (change.to == TransStatus::submitted) delta.submit_time = delta.at;
  CONCERTO_CO_CHECK(co_await commit(live, std::move(delta), Durability::durable));
  live.timed_out = false;
  live.calls.restart(live.trans.branches.size());
  if (is_final(live.trans.status)) {
    forget(live);
    ports_.observer.transaction_ended(live.trans);
  } else if (live.mode->times_out_in != live.trans.status) {
    wakes_.cancel(live.gid);
  }
  log(LogLevel::debug, live, "status " + std::string(to_string(live.trans.status)));
  live.progressed.notify_all();
  co_return ok();
}

void Engine::mark_unsaved(LiveTrans& live) {
  CONCERTO_ASSERT(live.has_unsaved());
  if (!live.is_linked()) unsaved_.push_back(live);
  if (!progress_timer_.is_set()) progress_timer_.set(ports_.timers.now() + options_.progress_delay);
}

Task<void> Engine::save_progress() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!unsaved_.empty()) {
    Pin pin = live_.pin(unsaved_.front().gid);
    pin->unlink();
    Turn turn = co_await live_.take_turn(pin);
    if (!turn->has_unsaved() || is_final(turn->trans.status)) continue;
    // A loss repeats a call, which the protocol allows; commit has logged it.
    TransDelta results;
    ignore_error(co_await commit(*turn, std::move(results), Durability::progress), "progress");
  }
}

}  // namespace concerto
