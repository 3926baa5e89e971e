#include "leases.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

/// The most leases that are renewed in one call.
constexpr std::size_t renewed_max = 1'000;

/// When renewals are tried again that the store did not make.
constexpr seconds renew_again_after{1};

}  // namespace

Async<std::optional<Owner>> Ownership::owner_of(Gid /*gid*/) {
  co_return std::optional<Owner>();
}

Error lease_lost(const Gid& gid) {
  return make_error(EngineErrc::lease_lost, "another coordinator works on gid " + gid.str());
}

Leases::Leases(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes,
               StoreTrouble& trouble, EngineLog& log)
    : env_(env),
      live_(live),
      loader_(loader),
      wakes_(wakes),
      trouble_(trouble),
      log_(log),
      timer_(env.ports.timers, [this] { rests_.spawn(renew_all()); }),
      rests_(env.ports.executor) {}

void Leases::start() {
  if (env_.ownership == nullptr || env_.stopping || timer_.is_set()) return;
  timer_.set(env_.now() + env_.ownership->lease() / 3);
}

Task<void> Leases::finish_stop() {
  timer_.cancel();
  return rests_.join();
}

Async<> Leases::hold(LiveTrans& live) {
  CONCERTO_ASSERT(live.turn.is_taken);
  if (!live.has_lease()) co_return lease_lost(live.gid);
  for (StoreRetry retry(env_.options.store_busy_max);;) {
    const SteadyTime asked = env_.now();
    const Result<bool> kept = co_await renew_or_claim(live);
    if (!live.has_lease()) co_return lease_lost(live.gid);  // A poll has found it out.
    if (kept && *kept) {
      live.lease_end = asked + env_.ownership->lease();
      if (!is_short(live) || env_.stopping) co_return ok();
      continue;  // The answer came late: the coordinator may have stood still.
    }
    if (kept) {
      lost(live);
      co_return lease_lost(live.gid);
    }
    // A renewal may be made again, whether it was made or not.
    const Result<> busy = make_error(EngineErrc::store_busy, kept.error().detail);
    const auto again = trouble_.try_again_at(live, busy, retry);
    if (!again) co_return busy;
    co_await trouble_.pause_for_store(live, *again);
  }
}

/// Whether the transaction is still this coordinator's, as memory has it. Once its lease has ended,
/// others may have changed it, and this coordinator may have it again by a claim whose answer was
/// lost: only what is stored can tell.
Async<bool> Leases::renew_or_claim(LiveTrans& live) {
  if (env_.now() < live.lease_end) {
    std::vector<Gid> gids(1, live.gid);
    CONCERTO_CO_TRY(const std::vector<Gid> not_ours,
                    co_await env_.ownership->renew(std::move(gids)));
    if (!not_ours.empty()) co_return false;
    if (env_.now() < live.lease_end) co_return true;
  }
  CONCERTO_CO_TRY(const Claimed claimed, co_await env_.ownership->claim(live.gid, Claim::if_free));
  if (!claimed.is_ours) co_return false;
  co_return has_all_of(live.trans, *claimed.trans);
}

Task<void> Leases::wait_for_others(Pin pin) {
  LiveTrans& live = *pin;
  Timer timer(env_.ports.timers, [&live] { live.progressed.notify_all(); });
  while (others_may_call(live)) {
    timer.set(live.others_until);  // A further claim may have moved it.
    const bool notified = co_await live.progressed.wait();
    if (!notified) co_return;
  }
}

void Leases::stored(LiveTrans& live, SteadyTime sent, bool rests) {
  const bool is_ours = !rests && !is_final(live.trans.status);
  if (!is_ours) {
    live.lease_end = {};
    loader_.note_rest(live.gid);
    return;
  }
  // A change that is stored after the end of the lease may come after changes of others, if this
  // coordinator has claimed the transaction again. So it renews nothing (see renew_or_claim).
  if (env_.now() < live.lease_end) live.lease_end = sent + env_.ownership->lease();
}

void Leases::lost(LiveTrans& live) {
  live.lease_end = {};
  live.knowledge = LiveTrans::Knowledge::others;
  live.forget_unsaved();
  loader_.forget(live);
  log_.write_limited(LogLevel::warn, live, "lost leases",
                     "another coordinator works on it now, and this one stops", 1);
  env_.observer.lease_lost(live.gid);
  if (live.is_driven()) {
    // Waiters need not wait for a call that may still run.
    live.pass_result = lease_lost(live.gid);
    ++live.passes;
    live.pass_ended.notify_all();
  }
  live.progressed.notify_all();
}

Task<void> Leases::renew_all() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const nanoseconds lease = env_.ownership->lease();
  const SteadyTime soon = env_.now() + lease * 2 / 3;
  std::vector<std::vector<Gid>> parts;
  live_.for_each([&](const LiveTrans& live) {
    if (!live.has_lease() || !live.is_driven() || live.lease_end > soon) return;
    if (parts.empty() || parts.back().size() == renewed_max) parts.emplace_back();
    parts.back().push_back(live.gid);
  });
  bool renewed = true;
  for (std::vector<Gid>& gids : parts) {
    if (rests_.closing()) break;
    renewed = co_await renew_some(std::move(gids)) && renewed;
  }
  if (rests_.closing()) co_return;
  const nanoseconds pause = lease / 3;
  timer_.set(env_.now() + (renewed ? pause : std::min<nanoseconds>(pause, renew_again_after)));
}

/// False if the store did not answer.
Task<bool> Leases::renew_some(std::vector<Gid> gids) {
  const SteadyTime lease_end = env_.now() + env_.ownership->lease();
  const Result<std::vector<Gid>> answer = co_await env_.ownership->renew(gids);
  if (!answer) {
    log_.write_failure("renewals of leases", "leases cannot be renewed", answer.error());
    co_return false;
  }
  const std::unordered_set<Gid> not_ours(answer->begin(), answer->end());
  for (const Gid& gid : gids) {
    LiveTrans* live = live_.find(gid);
    // A change may have come meanwhile: then the answer is about the time before or after it.
    if (live == nullptr || !live->has_lease() || live->lease_end >= lease_end) continue;
    if (!not_ours.contains(gid)) {
      // After the end of a lease the driver finds out what is stored (see renew_or_claim).
      if (env_.now() < live->lease_end) live->lease_end = lease_end;
    } else if (!live->turn.is_taken) {
      lost(*live);
    }
  }
  co_return true;
}

void Leases::let_go(LiveTrans& live) {
  CONCERTO_ASSERT(live.users == 0);
  const Pin pin = live_.pin(live.gid);
  const bool had_lease = std::exchange(live.lease_end, {}) != SteadyTime{};
  if ((had_lease || others_may_call(live)) && rests_.spawn(put_to_rest(pin, had_lease))) return;
  // The transaction leaves memory in this call. A lease runs out.
  live.others_until = {};
}

/// What rests may be claimed at any time. While another coordinator may make calls, the transaction
/// stays in memory, which knows until when.
Task<void> Leases::put_to_rest(Pin pin, bool had_lease) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (others_may_call(*pin)) co_await wait_for_others(pin);
  const Turn turn = co_await live_.take_turn(pin);
  LiveTrans& live = *pin;
  // It was claimed again, or a claim has failed.
  if (live.has_lease() || live.is_driven() || others_may_call(live)) co_return;
  const SteadyTime others_until = std::exchange(live.others_until, {});
  // After a stop the lease runs out, later than that of the other coordinator.
  if (!had_lease || env_.now() < others_until) co_return;
  const bool is_finished =
      live.knowledge == LiveTrans::Knowledge::present && is_final(live.trans.status);
  if (is_finished) co_return;
  loader_.note_rest(live.gid);
  const WallTime until = idle_until(live);
  const Result<> gone = co_await env_.ownership->let_go(live.gid, until);
  ignore_error(gone, "the lease runs out");
}

/// Until when a transaction rests that leaves memory without a pass.
WallTime Leases::idle_until(const LiveTrans& live) const {
  const WallTime now = env_.clock.wall_now();
  if (live.mode == nullptr) return now + env_.options.backoff_max;  // It cannot be read here.
  WallTime until = std::max<WallTime>(live.trans.next_cron_time, now + seconds(1));
  const SteadyTime alarm = wakes_.alarms().next_pass_of(live.gid);
  if (live.knowledge != LiveTrans::Knowledge::present) {
    until = now + seconds(1);
  } else if (!wakes_.slots().queued_at(live.gid).empty()) {
    until = queued_until(live.trans, now);
  } else if (env_.stopping) {
    until = live.trans.waits ? std::max<WallTime>(live.trans.next_cron_time, now) : now;
  } else if (alarm != SteadyTime::max()) {
    until = now + std::max<nanoseconds>(alarm - env_.now(), nanoseconds::zero());
  }
  return rest_until(live, until);
}

/// This coordinator wakes a queued transaction when there is a slot. Others may try before that,
/// but not again and again: what has been queued for a while rests for as long once more.
WallTime Leases::queued_until(const Transaction& trans, WallTime now) const {
  const nanoseconds least = std::max(trans.next_cron_interval, env_.options.retry_interval);
  const nanoseconds most = std::max<nanoseconds>(least, env_.options.backoff_max);
  return now + std::clamp(elapsed(trans.update_time, now), least, most);
}

WallTime Leases::rest_until(const LiveTrans& live, WallTime next) const {
  const SteadyTime timeout = wakes_.alarms().timeout_of(live.gid);
  if (timeout == SteadyTime::max()) return next;
  const nanoseconds left = std::max<nanoseconds>(timeout - env_.now(), nanoseconds::zero());
  return std::min<WallTime>(next, env_.clock.wall_now() + left);
}

}  // namespace concerto
