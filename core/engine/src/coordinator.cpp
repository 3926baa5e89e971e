#include <algorithm>
#include <unordered_set>

#include <concerto/base/assert.hpp>
#include <concerto/base/common_text.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/engine/coordinator.hpp>

#include "on_engine.hpp"
#include "operator_log.hpp"
#include "paused.hpp"
#include "reset_rounds.hpp"
#include "shared_rounds.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

constexpr std::size_t recovery_page = 1'000;

/// After each page recovery pauses for so many times the time that the page took, and leaves the
/// shards to new requests.
constexpr int recovery_pause = 2;

/// The most transactions that a poll claims in one call to the store.
constexpr std::size_t poll_max = 1'000;

/// How long the next poll waits after one that claimed as much as it had asked for.
constexpr std::chrono::milliseconds full_poll_pause{10};

__extension__ using Uint128 = unsigned __int128;

/// Those of `statuses` in which a transaction may have trouble. An empty set means all statuses.
StatusSet with_trouble(StatusSet statuses) {
  if (statuses.empty()) {
    return {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting,
            TransStatus::failed};
  }
  statuses.erase(TransStatus::succeed);
  return statuses;
}

/// How long recovery waits before it asks a busy store again.
constexpr std::chrono::seconds busy_store_pause{1};

/// The part of the limits that one shard gets.
CoordinatorLimits share_of(CoordinatorLimits limits, std::size_t shards) {
  limits.in_flight_max = std::max<std::size_t>(1, limits.in_flight_max / shards);
  limits.in_flight_bytes_max = std::max<std::size_t>(1, limits.in_flight_bytes_max / shards);
  limits.journal_transactions_max /= shards;
  return limits;
}

}  // namespace

Coordinator::Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
                         CoordinatorOptions options)
    : Coordinator(std::move(shards), store, clock, options, ModeTable::standard()) {}

Coordinator::Coordinator(std::vector<ShardPorts> shards, Store& store, const Clock& clock,
                         CoordinatorOptions options, const ModeTable& modes)
    : store_(store),
      clock_(clock),
      modes_(modes),
      paused_(options.starts_paused),
      topics_(std::make_unique<Topics>(store, clock, shards.at(0).branches, options.wording)),
      pauses_(std::make_unique<Pauses>(store)),
      reset_rounds_(std::make_unique<ResetRounds>()),
      shared_rounds_(std::make_unique<SharedRounds>(store, clock)) {
  CoordinatorOptions own = options;
  static_cast<CoordinatorLimits&>(own) = share_of(options, shards.size());
  for (const ShardPorts& ports : shards) {
    engines_.push_back(std::make_unique<Engine>(ports, store, clock, own, modes));
  }
}

Engine& Coordinator::home(const Gid& gid) noexcept {
  return *engines_[std::hash<Gid>{}(gid) % engines_.size()];
}

Async<> Coordinator::recover() {
  const Use use(*engines_.front());
  if (store_.ownership() != nullptr) {
    Engine& first = *engines_.front();
    co_await on_engine(first, first.start_polls(poll()));
    co_return ok();
  }
  CONCERTO_CO_CHECK(co_await read_pauses_at_start());
  std::uint64_t from = 0;
  for (;;) {
    const SteadyTime page_begin = clock_.steady_now();
    for (auto& engine : engines_) {
      co_await on_engine(*engine, engine->begin_recovery());
    }
    Result<UnfinishedPage> listed = co_await store_.scan_unfinished(from, recovery_page);
    UnfinishedPage page;
    if (listed) page = std::move(*listed);
    std::vector<std::vector<UnfinishedTrans>> parts(engines_.size());
    for (UnfinishedTrans& unfinished : page.transactions) {
      parts[std::hash<Gid>{}(unfinished.gid) % engines_.size()].push_back(std::move(unfinished));
    }
    for (std::size_t i = 0; i < engines_.size(); ++i) {
      co_await on_engine(*engines_[i], engines_[i]->recover(std::move(parts[i])));
    }
    const bool is_busy = !listed && listed.error().code == EngineErrc::store_busy;
    if (!listed && !is_busy) co_return listed.error();
    if (listed) from = page.next;
    if (listed && from == 0) co_return ok();
    Engine& first = *engines_.front();
    const SteadyTime now = clock_.steady_now();
    SteadyTime next = now + recovery_pause * (now - page_begin);
    if (is_busy) next = now + busy_store_pause;
    const bool goes_on = co_await on_engine(first, first.pause_until(next));
    if (is_busy && !goes_on) co_return listed.error();
  }
}

/// Nothing that is held up may begin because the store was busy for a moment.
Async<> Coordinator::read_pauses_at_start() {
  Engine& first = *engines_.front();
  for (bool goes_on = true;;) {
    const Result<> read = co_await read_pauses();
    const bool is_busy = !read && read.error().code == EngineErrc::store_busy;
    if (!is_busy || !goes_on) co_return read;
    goes_on = co_await on_engine(first, first.pause_until(clock_.steady_now() + busy_store_pause));
  }
}

/// Claims due transactions that no alarm has found, at intervals. Runs on the first shard, until it
/// stops.
Task<void> Coordinator::poll() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Engine& first = *engines_.front();
  bool goes_on = co_await first.wait_until_begun(paused_);
  while (goes_on) {
    const Result<> paused = co_await read_pauses();
    bool has_more = false;
    if (paused) {
      has_more = co_await claim_due(*store_.ownership());
    } else {
      co_await first.tell_failed_poll(paused.error());
    }
    const SteadyTime now = clock_.steady_now();
    const SteadyTime next = now + (has_more ? full_poll_pause : first.poll_interval());
    goes_on = co_await first.pause_until_poll(next);
  }
}

/// One poll. True if more transactions may be due.
Task<bool> Coordinator::claim_due(Ownership& ownership) {
  std::size_t room = poll_max;
  std::size_t rooms = 0;
  for (auto& engine : engines_) {
    const auto part = co_await on_engine(*engine, engine->begin_poll());
    if (!part) room = 0;
    rooms += part.value_or(0);
  }
  room = std::min(room, rooms);
  const SteadyTime asked = clock_.steady_now();
  Result<std::vector<Transaction>> found = std::vector<Transaction>();
  if (room > 0) found = co_await ownership.claim_due(room);
  if (!found)
    co_await on_engine(*engines_.front(), engines_.front()->tell_failed_poll(found.error()));
  const bool is_full = room > 0 && found && found->size() == room;
  std::vector<std::vector<Transaction>> parts(engines_.size());
  if (found) {
    for (Transaction& trans : *found) {
      parts[std::hash<Gid>{}(trans.gid) % engines_.size()].push_back(std::move(trans));
    }
  }
  for (std::size_t i = 0; i < engines_.size(); ++i) {
    co_await on_engine(*engines_[i], engines_[i]->end_poll(std::move(parts[i]), asked));
  }
  co_return is_full;
}

Task<void> Coordinator::set_limits(CoordinatorLimits limits) {
  const Use use(*engines_.front());
  const CoordinatorLimits own = share_of(limits, engines_.size());
  for (auto& engine : engines_) co_await on_engine(*engine, engine->set_limits(own));
}

Task<void> Coordinator::stop(SteadyTime deadline) {
  const Use use(*engines_.front());
  for (auto& engine : engines_) {
    co_await on_engine(*engine, engine->begin_stop(deadline));
  }
  for (auto& engine : engines_) {
    co_await on_engine(*engine, engine->finish_stop(deadline));
  }
}

Gid Coordinator::new_gid(RandomSource& random) {
  static constexpr std::string_view alphabet =
      "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  static_assert(alphabet.size() == 57);
  constexpr std::size_t length = 22;
  // Ten characters at a time: a division of 128 bits costs as much as ten of 64.
  constexpr std::uint64_t ten = 362'033'331'456'891'249;  // alphabet.size() ^ 10
  auto bits = static_cast<Uint128>(random.next()) << 64U | random.next();
  std::string text(length, alphabet.front());
  std::uint64_t part = 0;
  for (std::size_t i = length; i-- > 0;) {
    if ((length - 1 - i) % 10 == 0) {
      part = static_cast<std::uint64_t>(bits % ten);
      bits /= ten;
    }
    text[i] = alphabet[part % alphabet.size()];
    part /= alphabet.size();
  }
  return Gid(std::move(text));
}

Async<> Coordinator::prepare(TransRequest request, RequestContext context) {
  if (is_paused()) return refused_while_paused<void>();
  Engine& engine = home(request.gid);
  return on_engine(engine, engine.requests().prepare(std::move(request), context));
}

Async<Transaction> Coordinator::prepare_workflow(TransRequest request, RequestContext context) {
  if (is_paused()) return refused_while_paused<Transaction>();
  Engine& engine = home(request.gid);
  return on_engine(engine, engine.requests().prepare_workflow(std::move(request), context));
}

Async<> Coordinator::submit(TransRequest request, RequestContext context) {
  if (is_paused()) return refused_while_paused<void>();
  Engine& engine = home(request.gid);
  return on_engine(engine, engine.requests().submit(std::move(request), context));
}

Async<> Coordinator::abort(TransRequest request, RequestContext context) {
  if (is_paused()) return refused_while_paused<void>();
  Engine& engine = home(request.gid);
  return on_engine(engine, engine.requests().abort(std::move(request), context));
}

Async<> Coordinator::register_branch(BranchRequest request, RequestContext context) {
  if (is_paused()) return refused_while_paused<void>();
  Engine& engine = home(request.gid);
  return on_engine(engine, engine.requests().register_branch(std::move(request), context));
}

Async<> Coordinator::force_stop(Gid gid, RequestContext context, std::string reason) {
  Engine& engine = home(gid);
  return on_engine(engine,
                   engine.requests().force_stop(std::move(gid), context, std::move(reason)));
}

Async<> Coordinator::reset_next_cron_time(Gid gid, RequestContext context) {
  if (is_paused()) return refused_while_paused<void>();
  Engine& engine = home(gid);
  return on_engine(engine, engine.requests().try_now(std::move(gid), context));
}

Async<> Coordinator::skip_branch(Gid gid, BranchRow row, RequestContext context,
                                 std::string reason) {
  Engine& engine = home(gid);
  return on_engine(engine, engine.requests().skip_branch(std::move(gid), std::move(row), context,
                                                         std::move(reason)));
}

Async<BranchEdited> Coordinator::edit_branch(BranchEdit edit, RequestContext context) {
  Engine& engine = home(edit.gid);
  return on_engine(engine, engine.requests().edit_branch(std::move(edit), context));
}

Async<BranchEdited> Coordinator::preview_edit(BranchEdit edit) {
  Engine& engine = home(edit.gid);
  return on_engine(engine, engine.requests().preview_edit(std::move(edit)));
}

Task<void> Coordinator::tell_all(std::string what, RequestContext context, Result<> result) {
  Engine& first = *engines_.front();
  co_await on_engine(first, first.tell(std::move(what), context, std::move(result)));
}

Async<std::optional<Transaction>> Coordinator::query(Gid gid) {
  Engine& engine = home(gid);
  return on_engine(engine, engine.requests().query(std::move(gid)));
}

Async<std::optional<Inspection>> Coordinator::inspect(Gid gid) {
  Engine& engine = home(gid);
  return on_engine(engine, engine.inspect(std::move(gid)));
}

Async<TransPage> Coordinator::list(ListFilter filter, std::string position, std::size_t limit,
                                   TroubleFilter trouble) {
  const Use use(*engines_.front());
  if (filter.accepts_owner && !has_owners()) co_return no_owners();
  if (!trouble.empty()) {
    filter.statuses = with_trouble(filter.statuses);
    if (filter.statuses.empty()) co_return TransPage{};
    auto with_error = std::make_shared<std::unordered_set<Gid>>();
    if (!trouble.error.empty()) {
      for (auto& engine : engines_) {
        const std::vector<Gid> found =
            co_await on_engine(*engine, engine->with_error(trouble.error));
        with_error->insert(found.begin(), found.end());
      }
    }
    filter.accepts = [accepts = std::move(filter.accepts), trouble = std::move(trouble),
                      with_error = std::move(with_error),
                      modes = &modes_](const Transaction& trans) {
      const bool has_error =
          trouble.error.empty() ||
          has_text(masked_urls(trans.rollback_reason), trans.gid.view(), trouble.error) ||
          (!is_final(trans.status) && with_error->contains(trans.gid));
      return has_error &&
             (trouble.target.empty() || has_trouble_at(trans, *modes, trouble.target)) &&
             (!accepts || accepts(trans));
    };
  }
  Result<TransPage> page = co_await store_.list(std::move(filter), std::move(position), limit);
  if (!page) co_await tell_refusal(*engines_.front(), page.error());
  co_return page;
}

Task<std::unordered_map<Gid, std::string>> Coordinator::last_errors() {
  const Use use(*engines_.front());
  std::unordered_map<Gid, std::string> all;
  for (auto& engine : engines_) {
    auto part = co_await on_engine(*engine, engine->last_errors());
    all.merge(part);
  }
  co_return all;
}

Async<std::vector<KvRecord>> Coordinator::find_kv(std::string cat, std::string key) {
  const Use use(*engines_.front());
  Result<std::vector<KvRecord>> found = co_await store_.find_kv(std::move(cat), std::move(key));
  if (!found) co_await tell_refusal(*engines_.front(), found.error());
  co_return found;
}

Async<KvPage> Coordinator::scan_kv(std::string cat, std::string position, std::size_t limit) {
  const Use use(*engines_.front());
  Result<KvPage> page = co_await store_.scan_kv(std::move(cat), std::move(position), limit);
  if (!page) co_await tell_refusal(*engines_.front(), page.error());
  co_return page;
}

InFlight Coordinator::in_flight() const noexcept {
  InFlight sum;
  sum.changes = store_.queued_changes();
  const SteadyTime now = clock_.steady_now();
  for (const auto& engine : engines_) {
    const InFlight part = engine->in_flight(now);
    sum.live += part.live;
    sum.alarms += part.alarms;
    sum.bytes += part.bytes;
    sum.queued += part.queued;
    sum.damaged += part.damaged;
    sum.observer_exceptions += part.observer_exceptions;
    sum.lag = std::max(sum.lag, part.lag);
    for (std::size_t type = 0; type < trans_types; ++type) {
      sum.unfinished[type] += part.unfinished[type];
    }
  }
  return sum;
}

Task<std::map<std::string, std::size_t>> Coordinator::waiting_by_target() {
  const Use use(*engines_.front());
  std::map<std::string, std::size_t> waiting;
  for (auto& engine : engines_) {
    co_await on_engine(*engine, engine->count_waiting(waiting));
  }
  co_return waiting;
}

Async<Backlog> Coordinator::backlog() {
  const Use use(*engines_.front());
  if (Ownership* shared = store_.ownership()) co_return co_await shared->backlog();
  Backlog counted;
  counted.by_type = in_flight().unfinished;
  counted.oldest = co_await oldest_unfinished();
  co_return counted;
}

Task<std::optional<WallTime>> Coordinator::oldest_unfinished() {
  const Use use(*engines_.front());
  WallTime oldest = WallTime::max();
  for (auto& engine : engines_) {
    const WallTime own = co_await on_engine(*engine, engine->oldest_unfinished());
    oldest = std::min(oldest, own);
  }
  if (oldest == WallTime::max()) co_return std::nullopt;
  co_return oldest;
}

}  // namespace concerto
