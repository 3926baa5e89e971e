#include "engine.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

#include "operator_log.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

/// How often tasks are cancelled that still run after the deadline of a stop.
constexpr std::chrono::milliseconds cancel_again_after{100};

/// Places for the coroutines of calls and passes that begin after others (see TaskGroup). About
/// 1 KiB each.
constexpr std::size_t spare_tasks = 256;

/// How long a waiting transaction waits after a start: until its stored time, but no longer than it
/// was to wait when that time was stored. The stored time may be far away, if the clock was ahead
/// then and is right now.
nanoseconds wait_after_start(const UnfinishedTrans& unfinished, const Mode& mode, WallTime now) {
  const nanoseconds left = elapsed(now, unfinished.next_cron_time);
  nanoseconds most = unfinished.next_cron_interval + jitter_max(unfinished.next_cron_interval);
  if (left <= most) return left;
  // The transaction may wait for the delay of a msg, which is not an interval.
  const auto custom = parse_custom_data(mode, unfinished.custom_data, 0);
  const bool delayed = custom && unfinished.submit_time &&
                       unfinished.next_cron_time <= *unfinished.submit_time + custom->delay;
  if (delayed) most = std::max<nanoseconds>(most, custom->delay);
  return std::min(left, most);
}

}  // namespace

Engine::Engine(ShardPorts ports, Store& store, const Clock& clock,
               const CoordinatorOptions& options, const ModeTable& modes)
    : env_{.ports = ports,
           .store = store,
           .clock = clock,
           .options = options,
           .modes = modes,
           .paused = options.starts_paused,
           .stopping = false},
      journal_(options.journal_transactions_max),
      live_(
          ports.executor, [this](LiveTrans& live) { loader_.leave_memory(live); },
          [this](LiveTrans& live) { leases_.let_go(live); }),
      wakes_(ports, env_.options, live_,
             [this](Alarms::Wake event, std::string slot) {
               tasks_.spawn(wake(std::move(event), std::move(slot)));
             }),
      log_(env_, journal_),
      loader_(env_, live_, wakes_, log_),
      trouble_(env_, wakes_, log_),
      leases_(env_, live_, loader_, wakes_, trouble_, log_),
      changes_(env_, live_, loader_, wakes_, trouble_, leases_, log_, tasks_),
      passes_(env_, live_, loader_, wakes_, leases_, changes_, log_, journal_, tasks_),
      patience_(env_, log_, tasks_),
      requests_(env_, live_, loader_, wakes_, trouble_, changes_, passes_, journal_, patience_),
      resets_(env_, requests_, tasks_),
      inspector_(env_, live_, wakes_, journal_),
      poll_wanted_(ports.executor),
      begun_(ports.executor),
      tasks_(ports.executor, spare_tasks) {
  leases_.start();
}

Engine::~Engine() = default;

Async<std::optional<Inspection>> Engine::inspect(Gid gid) {
  CONCERTO_CO_TRY(std::optional<Transaction> found, co_await requests_.query(gid));
  if (!found) co_return std::nullopt;
  std::optional<Owner> other;
  const LiveTrans* live = live_.find(gid);
  const bool is_ours = env_.ownership == nullptr || (live != nullptr && live->has_lease());
  if (!is_ours && !is_final(found->status)) {
    CONCERTO_CO_TRY(other, co_await patience_.bound(gid, Patience::Deed::reads, SteadyTime::max(),
                                                    env_.ownership->owner_of(gid)));
    if (other && other->is_this) other.reset();
  }
  co_return inspector_.explain(std::move(*found), other);
}

Task<std::vector<Gid>> Engine::with_error(std::string text) {
  co_return journal_.with_error(text);
}

Task<std::unordered_map<Gid, std::string>> Engine::last_errors() {
  co_return journal_.last_errors();
}

Task<void> Engine::tell(std::string what, RequestContext context, Result<> result) {
  tell_operator(env_.observer, LogLevel::info, {}, std::move(what), context, result);
  co_return;
}

Task<void> Engine::tell_refusal(Error error) {
  log_.write_refusal({}, error);
  co_return;
}

Task<void> Engine::tell_failed_poll(Error error) {
  log_.write_failure("looks for due transactions", "due transactions cannot be looked for", error);
  co_return;
}

/// `slot`: the target of which a slot is taken for the transaction, empty if there is none.
Task<void> Engine::wake(Alarms::Wake wake, std::string slot) {
  co_await asio::this_coro::throw_if_cancelled(false);
  {
    Turn turn = co_await loader_.enter(wake.gid);
    LiveTrans& live = *turn;
    const Result<> loaded = co_await loader_.load(live);
    if (!loaded && live.knowledge == LiveTrans::Knowledge::others) {
      // A poll has claimed it, and calls from before the lease was lost still run here.
      const auto gone = co_await env_.ownership->let_go(live.gid, env_.clock.wall_now());
      ignore_error(gone, "the lease runs out");
    } else if (!loaded && is_left_alone(loaded.error())) {
      loader_.forget(live);
    } else if (!loaded) {
      tell_unread(live, loaded.error());
      const SteadyTime next = env_.now() + env_.options.retry_interval;
      if (wake.next_pass) wakes_.set_next_pass(live.gid, next);
      if (wake.timeout) wakes_.set_timeout(live.gid, next);
    } else if (live.knowledge == LiveTrans::Knowledge::present && !is_final(live.trans.status)) {
      if (env_.ownership != nullptr && rests_longer(live, wake, !slot.empty())) {
        loader_.forget(live);
      } else if (begin_pass(live, std::move(wake), slot)) {
        // The decision does not wait for the call that runs.
        ignore_error(co_await passes_.settle(live), "the driver meets the same error");
        live.progressed.notify_all();
      }
    }
  }
  wakes_.ended(std::move(slot));
}

/// All transactions meet the same trouble of the store, so one line is enough. A record that cannot
/// be read has a line of its own.
void Engine::tell_unread(const LiveTrans& live, const Error& error) {
  const bool is_outage = is_of_store(error);
  log_.write_limited(is_outage ? trouble_.level(LogLevel::error) : LogLevel::error, live,
                     is_outage ? "transactions that the store cannot read now"
                               : "transactions that cannot be read",
                     "cannot be read: " + error.detail + "; next try in " +
                         std::to_string(env_.options.retry_interval.count()) + " s",
                     is_outage ? 1 : LineLimit::lines_max);
}

/// Whether a transaction of a shared store is damaged. The operator has been told, and some
/// coordinator's poll looks at it again.
bool Engine::is_left_alone(const Error& error) const noexcept {
  return env_.ownership != nullptr && error.code == EngineErrc::store_damaged;
}

/// Begins a pass of a woken transaction. The caller has the turn. `slot` is empty afterwards if the
/// pass has taken it over. True if a pass runs already and the timeout asks for a decision.
bool Engine::begin_pass(LiveTrans& live, Alarms::Wake wake, std::string& slot) {
  if (live.trans.status == live.mode->times_out_in) {
    live.timed_out |= wake.timeout || loader_.is_timed_out(live);
  }
  if (live.is_driven()) return wake.timeout;
  passes_.wake(live, std::move(wake), std::exchange(slot, {}));
  return false;
}

/// Whether another coordinator has put the transaction to rest for a longer time since this one set
/// its alarm. Then that coordinator has an alarm too.
bool Engine::rests_longer(const LiveTrans& live, const Alarms::Wake& wake, bool was_queued) const {
  constexpr seconds rounding{2};  // Stores in rows keep whole seconds.
  if (wake.cause != Alarms::Cause::time || wake.timeout || live.is_driven()) return false;
  const WallTime now = env_.clock.wall_now();
  const WallTime own = was_queued ? leases_.queued_until(live.trans, now) : now;
  return live.trans.waits && live.trans.next_cron_time > own + rounding;
}

Task<void> Engine::begin_recovery() {
  loader_.begin_recovery();
  co_return;
}

Task<void> Engine::recover(std::vector<UnfinishedTrans> transactions) {
  for (const UnfinishedTrans& unfinished : transactions) {
    if (const Mode* mode = env_.modes.find(unfinished.type)) {
      recover_one(unfinished, *mode);
    } else if (log_.admits(LogLevel::warn, "transactions of unknown types")) {
      env_.observer.log(LogLevel::warn, unfinished.gid.view(),
                        "left alone: its type is not in this version");
    }
  }
  loader_.end_recovery();
  co_return;
}

/// A request may have been faster than recovery, and the store may have listed the transaction as
/// it was before. The alarms are set all the same: a request sets only the alarms that it needs.
void Engine::recover_one(const UnfinishedTrans& unfinished, const Mode& mode) {
  using Knowledge = LiveTrans::Knowledge;
  if (loader_.has_ended(unfinished.gid)) return;
  const LiveTrans* live = live_.find(unfinished.gid);
  if (live != nullptr && live->knowledge == Knowledge::absent) return;
  const bool is_known = live != nullptr && live->knowledge == Knowledge::present;
  const TransStatus status = is_known ? live->trans.status : unfinished.status;
  if (is_final(status)) return;
  loader_.count_listed(unfinished);
  const WallTime now = env_.clock.wall_now();
  const SteadyTime steady = env_.now();
  const seconds timeout = env_.timeout_of(unfinished.timeout_to_fail, mode);
  if (status == mode.times_out_in && timeout.count() > 0) {
    wakes_.set_timeout(unfinished.gid, steady + time_left(timeout, unfinished.create_time, now));
  }
  const bool is_driven = live != nullptr && live->is_driven();
  if (is_driven || wakes_.alarms().next_pass_of(unfinished.gid) != SteadyTime::max()) return;
  if (unfinished.waits) {
    wakes_.set_next_pass(unfinished.gid, steady + wait_after_start(unfinished, mode, now));
  } else if (status != TransStatus::prepared) {
    wakes_.set_next_pass(unfinished.gid, steady);
  }
}

Task<std::optional<std::size_t>> Engine::begin_poll() {
  loader_.begin_recovery();
  if (changes_.any_is_past_lease()) co_return std::nullopt;
  co_return wakes_.room();
}

Task<void> Engine::end_poll(std::vector<Transaction> claimed, SteadyTime asked) {
  const SteadyTime lease_end = asked + env_.ownership->lease();
  for (Transaction& trans : claimed) {
    if (!env_.stopping) {
      wake_claimed(std::move(trans), lease_end);
      continue;
    }
    if (env_.now() >= stop_until_) break;  // The store is slow. The leases run out.
    const WallTime now = env_.clock.wall_now();
    ignore_error(co_await env_.ownership->let_go(trans.gid, now), "the lease runs out");
  }
  loader_.end_recovery();
}

void Engine::wake_claimed(Transaction trans, SteadyTime lease_end) {
  Alarms::Wake wake{trans.gid, true, false, Alarms::Cause::time};
  LiveTrans* known = live_.find(trans.gid);
  if (known != nullptr || loader_.may_be_old(trans.gid)) {
    if (known != nullptr && known->is_driven()) {
      // The lease had run out. If another coordinator had it meanwhile, the store knows more.
      if (!has_all_of(known->trans, trans)) leases_.lost(*known);
      if (known->has_lease()) known->lease_end = std::max(known->lease_end, lease_end);
      if (known->has_lease()) return;
    }
    wakes_.begin();
    tasks_.spawn(this->wake(std::move(wake), {}));
    return;
  }
  Turn turn = LiveTable::turn_if_free(live_.pin(trans.gid));
  CONCERTO_ASSERT(turn.holds());
  const Result<> added = loader_.add_claimed(*turn, std::move(trans), lease_end);
  if (!added) {
    if (is_left_alone(added.error())) return;
    log_.write_limited(LogLevel::error, *turn, "transactions that cannot be read",
                       "cannot be read: " + added.error().detail);
    return;
  }
  // It keeps its place in the queue, and rests again when it leaves memory.
  if (!wakes_.slots().queued_at(turn->gid).empty()) return;
  std::string no_slot;
  begin_pass(*turn, std::move(wake), no_slot);  // The transaction is new here: it has no driver.
}

nanoseconds Engine::poll_interval() const {
  const nanoseconds interval = env_.options.poll_interval;
  const auto span = std::max<std::int64_t>(1, interval.count() / 2);
  const std::uint64_t random = env_.ports.random.next() % static_cast<std::uint64_t>(span);
  return interval * 3 / 4 + nanoseconds(static_cast<std::int64_t>(random));
}

Task<bool> Engine::wait_until_begun(const std::atomic<bool>& paused) {
  while (paused.load() && !env_.stopping) {
    const bool notified = co_await begun_.wait();
    if (!notified) co_return false;
  }
  co_return !env_.stopping;
}

Task<void> Engine::begin() {
  env_.paused = false;
  wakes_.begin_waking();
  co_return;
}

Task<void> Engine::tell_begun() {
  begun_.notify_all();
  co_return;
}

Task<void> Engine::start_polls(Task<void> polls) {
  tasks_.spawn(std::move(polls));
  co_return;
}

Task<bool> Engine::pause_until_poll(SteadyTime at) {
  Timer timer(env_.ports.timers, [this] { poll_wanted_.notify_all(); });
  timer.set(at);
  while (!env_.stopping && env_.now() < at) {
    const bool notified = co_await poll_wanted_.wait();
    if (!notified) co_return false;
  }
  co_return !env_.stopping;
}

Task<bool> Engine::pause_until(SteadyTime at) {
  if (at > env_.now()) co_await sleep_until(env_.ports.timers, at);
  co_return !env_.stopping;
}

Task<Engine::Waiting> Engine::take_waiting(seconds beyond, std::size_t limit, std::uint64_t round) {
  return wakes_.take_waiting(beyond, limit, round);
}

Task<void> Engine::set_limits(CoordinatorLimits limits) {
  static_cast<CoordinatorLimits&>(env_.options) = limits;
  wakes_.set_limits(limits);
  journal_.set_max(limits.journal_transactions_max);
  co_return;
}

Task<void> Engine::set_pauses(std::shared_ptr<const PauseList> pauses) {
  env_.pauses = std::move(pauses);
  co_return;
}

Task<void> Engine::begin_stop(SteadyTime deadline) {
  env_.stopping = true;
  stop_until_ = deadline;
  wakes_.stop();
  log_.stop();
  poll_wanted_.notify_all();
  begun_.notify_all();
  changes_.stop();
  live_.for_each([](LiveTrans& live) { live.progressed.notify_all(); });
  co_return;
}

Task<void> Engine::finish_stop(SteadyTime deadline) {
  CONCERTO_ASSERT(env_.stopping);
  // A coroutine that is between two waits misses a cancellation, so there is more than one.
  Timer overdue(env_.ports.timers, [this, &overdue] {
    cancel();
    overdue.set(env_.now() + cancel_again_after);
  });
  overdue.set(deadline);
  co_await tasks_.join();
  co_await leases_.finish_stop();
  // The io_context of an embedder must not wait for a deadline that nobody needs any more.
  overdue.cancel();
  patience_.stop();
  log_.report_left_out(SteadyTime::max());
  env_.ports.timers.disarm();
}

InFlight Engine::in_flight(SteadyTime now) const noexcept {
  InFlight result;
  result.live = live_.size();
  result.bytes = live_.bytes();
  result.observer_exceptions = env_.observer.exceptions();
  wakes_.add_to(result, now);
  loader_.add_to(result);
  return result;
}

Task<void> Engine::count_waiting(std::map<std::string, std::size_t>& by_target) {
  wakes_.alarms().count_waiting(by_target);
  co_return;
}

Task<WallTime> Engine::oldest_unfinished() {
  return wakes_.oldest_unfinished();
}

}  // namespace concerto
