// Trying all transactions that wait for long (resetCronTime).

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <concerto/engine/coordinator.hpp>

#include "on_engine.hpp"
#include "paused.hpp"
#include "reset_rounds.hpp"
#include "shared_rounds.hpp"

namespace concerto {
namespace {

/// How many transactions that cannot be read a request passes over.
constexpr std::size_t passed_over_max = 1'000;

std::string about_reset(std::chrono::seconds beyond, const Coordinator::Reset& reset) {
  std::string what = "try now of all that wait for more than " + std::to_string(beyond.count()) +
                     " s, " + std::to_string(reset.count) + " are due";
  if (reset.has_remaining) what += " and more remain";
  return what;
}

}  // namespace

Async<Coordinator::Reset> Coordinator::reset_cron_time(std::chrono::seconds beyond,
                                                       std::size_t limit, RequestContext context) {
  const Use use(*engines_.front());
  if (is_paused()) co_return paused_error();
  Reset reset;
  Ownership* shared = store_.ownership();
  Result<> done = ok();
  if (shared != nullptr) {
    done = co_await reset_shared(*shared, beyond, limit, context, reset);
  } else {
    done = co_await reset_own(beyond, limit, context, reset);
  }
  if (!done) reset.has_remaining = true;
  if (!done) co_await tell_refusal(*engines_.front(), done.error());
  if (done || reset.count > 0) co_await tell_all(about_reset(beyond, reset), context, ok());
  if (!done) co_return done.error();
  co_return reset;
}

/// The transactions are found by the alarms of this process.
Async<> Coordinator::reset_own(std::chrono::seconds beyond, std::size_t limit,
                               RequestContext context, Reset& reset) {
  const std::uint64_t round = reset_rounds_->join(beyond, clock_.steady_now());
  for (auto& engine : engines_) {
    const std::size_t wanted = limit - reset.count;
    const Engine::Waiting waiting =
        co_await on_engine(*engine, engine->take_waiting(beyond, wanted, round));
    reset.has_remaining |= waiting.has_more;
    for (const Gid& gid : waiting.gids) {
      const Result<> done =
          co_await on_engine(*engine, engine->requests().reset_next_cron_time(gid, context));
      if (done) ++reset.count;
      if (done || !concerns_all(done.error().code)) continue;
      reset_rounds_->end(round);  // The next round takes them again.
      co_return done.error();
    }
  }
  if (!reset.has_remaining) reset_rounds_->end(round);
  co_return ok();
}

/// The transactions are found in the store, whichever coordinator has put them to rest, and this
/// coordinator takes them over.
Async<> Coordinator::reset_shared(Ownership& ownership, std::chrono::seconds beyond,
                                  std::size_t limit, RequestContext context, Reset& reset) {
  // What changes at the moment at which the round begins was visited by its first request.
  const WallTime before = co_await shared_rounds_->join(beyond) - std::chrono::nanoseconds(1);
  std::unordered_set<Gid> passed_over;
  while (passed_over.size() <= passed_over_max) {
    const std::size_t wanted = limit - reset.count;
    const std::size_t asked = wanted + passed_over.size() + 1;
    CONCERTO_CO_TRY(std::vector<Gid> found, co_await ownership.resting(beyond, before, asked));
    std::erase_if(found, [&](const Gid& gid) { return passed_over.contains(gid); });
    reset.has_remaining = found.size() > wanted;
    if (reset.has_remaining)
      found.erase(found.begin() + static_cast<std::ptrdiff_t>(wanted), found.end());
    CONCERTO_CO_TRY(const std::vector<Gid> missed,
                    co_await reset_some(std::move(found), context, reset));
    if (missed.empty() || !reset.has_remaining) break;
    passed_over.insert(missed.begin(), missed.end());
  }
  if (reset.has_remaining) co_return ok();
  ignore_error(co_await shared_rounds_->end(beyond), "the round is over after a minute");
  co_return ok();
}

/// Returns those that were passed over.
Async<std::vector<Gid>> Coordinator::reset_some(std::vector<Gid> gids, RequestContext context,
                                                Reset& reset) {
  std::vector<std::vector<Gid>> parts(engines_.size());
  for (Gid& gid : gids) {
    parts[std::hash<Gid>{}(gid) % engines_.size()].push_back(std::move(gid));
  }
  std::vector<Gid> passed_over;
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    if (parts[i].empty()) continue;
    const Resets::Tally tally = co_await on_engine(
        *engines_[i], engines_[i]->resets().try_now(std::move(parts[i]), context));
    reset.count += tally.count;
    passed_over.insert(passed_over.end(), tally.passed_over.begin(), tally.passed_over.end());
    if (!tally.trouble) co_return tally.trouble.error();
  }
  co_return passed_over;
}

}  // namespace concerto
