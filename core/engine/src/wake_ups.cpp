#include "wake_ups.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

WakeUps::WakeUps(const ShardPorts& ports, const CoordinatorOptions& options, const LiveTable& live,
                 Start start)
    : timers_(ports.timers),
      executor_(ports.executor),
      options_(options),
      live_(live),
      start_(std::move(start)),
      slots_(options.wakes_per_target_max),
      alarm_timer_(ports.timers, [this] { wake_due(); }),
      trial_timer_(ports.timers, [this] { try_targets(); }),
      paused_(options.starts_paused) {}

bool WakeUps::add(const Gid& gid, TransType type, WallTime create_time) {
  return alarms_.add(gid, type, create_time);
}

std::optional<TransType> WakeUps::remove(const Gid& gid) {
  const auto type = alarms_.remove(gid);
  set_next_alarm();
  return type;
}

void WakeUps::set_next_pass(const Gid& gid, SteadyTime at, std::string_view target) {
  alarms_.set_next_pass(gid, at, target);
  if (!target.empty()) set_trial_timer();
  set_next_alarm();
}

void WakeUps::set_timeout(const Gid& gid, SteadyTime at) {
  alarms_.set_timeout(gid, at);
  set_next_alarm();
}

void WakeUps::cancel(const Gid& gid) {
  alarms_.cancel(gid);
  set_next_alarm();
}

/// The timer stays as it is. If it was set for this transaction, it finds no due alarm.
std::optional<Alarms::Wake> WakeUps::begin_pass(const Gid& gid) {
  alarms_.cancel_next_pass(gid);
  auto wake = slots_.forget(gid);
  CONCERTO_ASSERT(!wake || wake->gid == gid);
  count_queued();
  return wake;
}

bool WakeUps::take_slot(std::string_view target, Alarms::Wake wake) {
  const bool taken = slots_.take(target, std::move(wake));
  if (!taken) count_queued();
  return taken;
}

void WakeUps::give_back_slot(const std::string& target, TargetSlots::Use use) {
  for (Alarms::Wake& wake : slots_.give_back(target, use)) start(std::move(wake), target);
  count_queued();
  if (use == TargetSlots::Use::answered && alarms_.any_waits()) wake_waiting(target);
}

void WakeUps::wake_waiting(std::string_view target) {
  if (wakes_nothing()) return;
  while (alarms_.waiting_for(target) > 0 && slots_.take_free(target)) {
    wake_one(target, Alarms::Cause::answer);
  }
  set_next_alarm();
}

/// Wakes one transaction that waits for the target. Its slot is taken already.
void WakeUps::wake_one(std::string_view target, Alarms::Cause cause) {
  std::string slot(target);  // `target` may refer to a text in the alarms.
  auto wake = alarms_.pop_waiting(target, cause, timers_.now());
  CONCERTO_ASSERT(wake.has_value());
  start(std::move(*wake), std::move(slot));
}

void WakeUps::set_trial_timer() {
  if (wakes_nothing() || trial_timer_.is_set()) return;
  trial_timer_.set(timers_.now() + options_.retry_interval);
}

/// Wakes one transaction of each target, on behalf of all that wait for the target. If only one
/// transaction waits, it keeps to its own time, which grows with its errors.
void WakeUps::try_targets() {
  constexpr std::size_t waiting_min = 2;
  if (wakes_nothing() || !alarms_.any_waits()) return;
  for (const std::string& target : alarms_.targets_with(waiting_min)) {
    if (slots_.has_taken(target)) continue;  // A woken transaction calls the target already.
    if (slots_.take_free(target)) wake_one(target, Alarms::Cause::trial);
  }
  set_next_alarm();
  trial_timer_.set(timers_.now() + options_.retry_interval);
}

bool WakeUps::has_room() const noexcept {
  return in_progress_ < options_.wakes_in_progress_max && live_.size() < options_.in_flight_max;
}

std::size_t WakeUps::room() const noexcept {
  if (wakes_nothing() || !has_room() || live_.bytes() >= options_.in_flight_bytes_max) return 0;
  return std::min(options_.wakes_in_progress_max - in_progress_,
                  options_.in_flight_max - live_.size());
}

bool WakeUps::has(const Gid& gid) const {
  constexpr SteadyTime none = SteadyTime::max();
  return alarms_.next_pass_of(gid) != none || alarms_.timeout_of(gid) != none ||
         !slots_.queued_at(gid).empty();
}

void WakeUps::set_next_alarm() {
  alarm_count_.store(alarms_.size(), std::memory_order_relaxed);
  const SteadyTime earliest = paused_ ? SteadyTime::max() : alarms_.earliest();
  earliest_alarm_.store(earliest, std::memory_order_relaxed);
  if (wakes_nothing() || !has_room()) return alarm_timer_.cancel();
  alarm_timer_.set(alarms_.earliest());
}

void WakeUps::wake_due() {
  while (has_room()) {
    auto wake = alarms_.pop_due(timers_.now());
    if (!wake) break;
    start(std::move(*wake), {});
  }
  set_next_alarm();
}

void WakeUps::start(Alarms::Wake wake, std::string slot) {
  CONCERTO_ASSERT(!wake.gid.empty() && (wake.next_pass || wake.timeout));
  ++in_progress_;
  start_(std::move(wake), std::move(slot));
}

void WakeUps::ended(std::string slot) {
  CONCERTO_ASSERT(in_progress_ > 0);
  --in_progress_;
  if (!slot.empty()) give_back_slot(slot, TargetSlots::Use::unused);
  set_next_alarm();
}

void WakeUps::set_limits(const CoordinatorLimits& limits) {
  slots_.set_max(limits.wakes_per_target_max);
  set_next_alarm();
}

void WakeUps::begin_waking() {
  paused_ = false;
  if (alarms_.any_waits()) set_trial_timer();
  set_next_alarm();
}

void WakeUps::stop() {
  stopping_ = true;
  alarm_timer_.cancel();
  trial_timer_.cancel();
}

Task<WakeUps::Waiting> WakeUps::take_waiting(std::chrono::seconds beyond, std::size_t limit,
                                             std::uint64_t round) {
  if (round > reset_round_) {
    reset_round_ = round;
    reset_from_ = 0;
  }
  const SteadyTime time = timers_.now() + beyond;
  Waiting waiting;
  while (round == reset_round_ && waiting.gids.size() < limit &&
         reset_from_ < alarms_.index_end()) {
    alarms_.waiting_beyond(time, limit, reset_from_, waiting.gids);
    co_await asio::post(executor_, use_task);
  }
  if (round != reset_round_) {
    waiting.has_more = true;
    co_return waiting;
  }
  std::vector<Gid> next;
  for (std::size_t ahead = reset_from_; next.empty() && ahead < alarms_.index_end();) {
    alarms_.waiting_beyond(time, 1, ahead, next);
    co_await asio::post(executor_, use_task);
  }
  waiting.has_more = !next.empty();
  co_return waiting;
}

Task<WallTime> WakeUps::oldest_unfinished() {
  WallTime oldest = WallTime::max();
  for (std::size_t part = 0; part < alarms_.parts(); ++part) {
    oldest = std::min(oldest, alarms_.oldest_in(part));
    co_await asio::post(executor_, use_task);
  }
  co_return oldest;
}

void WakeUps::count_queued() noexcept {
  queued_count_.store(slots_.queued(), std::memory_order_relaxed);
}

void WakeUps::add_to(InFlight& sum, SteadyTime now) const noexcept {
  sum.alarms += alarm_count_.load(std::memory_order_relaxed);
  sum.queued += queued_count_.load(std::memory_order_relaxed);
  const SteadyTime earliest = earliest_alarm_.load(std::memory_order_relaxed);
  if (earliest < now) sum.lag = std::max<std::chrono::nanoseconds>(sum.lag, now - earliest);
}

}  // namespace concerto
