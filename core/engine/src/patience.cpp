#include "patience.hpp"

#include <algorithm>
#include <string>

#include <concerto/base/assert.hpp>

namespace concerto {
namespace {

std::string seconds_text(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

Result<> Patience::admit(const Gid& gid, Deed deed) const {
  const auto& overdue = overdue_of(deed);
  if (overdue.empty()) return ok();
  if (overdue.contains(gid)) return late(gid, deed);
  if (overdue.size() < env_.options.in_flight_max) return ok();
  return make_error(Errc::overloaded, "too many requests wait for the store: gid " + gid.str() +
                                          " is refused, try again later");
}

Task<bool> Patience::wait(Call& call, SteadyTime until) {
  call.since = env_.now();
  call.until = std::min(until, call.since + env_.options.store_answer_max);
  waiting_.push_back(call);
  if (!timer_.is_set()) look_at(call.since + look_pause);
  auto start = [&call](Completion<bool> caller) { call.caller = std::move(caller); };
  return suspend<bool>(start);
}

void Patience::end(Call& call) {
  call.is_over = true;
  if (call.is_linked()) call.unlink();
  if (call.caller) return call.caller(true);
  if (!call.is_given_up) return;
  auto& overdue = overdue_of(call.deed);
  const auto found = overdue.find(call.gid);
  CONCERTO_ASSERT(found != overdue.end());
  if (--found->second == 0) overdue.erase(found);
  for (const auto& others : overdue_) {
    if (!others.empty()) return;
  }
  env_.observer.log(episode_.level == LogLevel::debug ? LogLevel::debug : LogLevel::info, {},
                    "the store has answered all that waited: " + std::to_string(episode_.calls) +
                        " requests had no answer in time, " +
                        seconds_text(env_.now() - episode_.since) + " after the first");
  episode_ = {};
}

void Patience::look_at(SteadyTime at) {
  look_at_ = at;
  timer_.set(at);
}

void Patience::look() {
  const SteadyTime now = env_.now();
  // If the process stood still, the store's answers may be there and wait for this thread.
  if (now > look_at_ + look_pause) return look_at(now + look_pause);
  const auto away_since = now - env_.options.away_answer_max;
  const bool any_is_old = !waiting_.empty() && waiting_.front().since <= away_since;
  const bool is_away = any_is_old && env_.store.health().state >= StoreHealth::State::recovering;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Call& call = *at++;
    if (call.until <= now || (is_away && call.since <= away_since)) give_up(call);
  }
  if (!waiting_.empty()) look_at(now + look_pause);
}

void Patience::give_up_all() {
  while (!waiting_.empty()) give_up(waiting_.front());
}

/// The caller goes on after a post, so that the list does not change meanwhile.
void Patience::give_up(Call& call) {
  CONCERTO_ASSERT(!call.is_over && !call.is_given_up);
  call.unlink();
  call.is_given_up = true;
  ++overdue_of(call.deed)[call.gid];
  if (++episode_.calls == 1) {
    episode_.since = env_.now();
    episode_.level = env_.store.health().is_told() ? LogLevel::debug : LogLevel::warn;
    env_.observer.log(episode_.level, call.gid.view(),
                      "the store does not answer in time: a request has waited for " +
                          seconds_text(env_.now() - call.since) + ", and goes on waiting");
  }
  asio::post(env_.ports.executor, [caller = std::move(call.caller)]() mutable { caller(false); });
}

Error Patience::late(const Gid& gid, Deed deed) const {
  if (deed == Deed::reads) {
    return make_error(EngineErrc::store_busy, "gid " + gid.str() + " could not be read in time");
  }
  return make_error(EngineErrc::store_late,
                    "the store has not answered in time, and the outcome "
                    "for gid " +
                        gid.str() + " is not known");
}

}  // namespace concerto
