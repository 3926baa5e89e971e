#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include <concerto/base/mutex.hpp>
#include <concerto/persist/memory_store.hpp>

#include "../kv_table.hpp"
#include "../preconditions.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t all_commits = std::numeric_limits<std::size_t>::max();
constexpr std::string_view closed_text = "the store is closed";
constexpr std::string_view no_writes_text = "the store takes no writes after a failed one";

}  // namespace

struct MemoryStore::State {
  /// Checks and applies one change; called with the mutex held.
  using Effect = std::function<Result<>(State&)>;

  struct Waiting {
    Effect effect;
    Executor executor;
    Completion<Result<>> completion;
  };

  struct Entry {
    std::uint64_t sequence = 0;
    Transaction trans;
  };

  explicit State(Crash mode) : crash_mode(mode) {}

  Result<> take_effect(const Effect& effect) CONCERTO_REQUIRES(mutex);
  void run(Waiting waiting) CONCERTO_REQUIRES(mutex);
  Result<> create(const Transaction& trans, Durability durability) CONCERTO_REQUIRES(mutex);
  Result<> update(const UpdateTrans& update, Durability durability) CONCERTO_REQUIRES(mutex);
  void remember(const Gid& gid, const Transaction* before, Durability durability)
      CONCERTO_REQUIRES(mutex);

  const Crash crash_mode;
  mutable Mutex mutex;
  std::unordered_map<Gid, Entry> transactions CONCERTO_GUARDED_BY(mutex);
  std::map<std::uint64_t, Gid> by_sequence CONCERTO_GUARDED_BY(mutex);
  std::uint64_t last_sequence CONCERTO_GUARDED_BY(mutex) = 0;
  KvTable kv CONCERTO_GUARDED_BY(mutex);
  std::size_t effects CONCERTO_GUARDED_BY(mutex) = 0;

  /// What to restore if progress is lost: gids with their earlier transactions (absent: none).
  std::vector<std::pair<Gid, std::optional<Transaction>>> undo CONCERTO_GUARDED_BY(mutex);

  bool holding CONCERTO_GUARDED_BY(mutex) = false;
  std::deque<Waiting> waiting CONCERTO_GUARDED_BY(mutex);
  /// Counts down to the failing change; 0: none fails.
  std::size_t fails_after CONCERTO_GUARDED_BY(mutex) = 0;
  Failure failure CONCERTO_GUARDED_BY(mutex) = Failure::dropped;
  bool poisoned CONCERTO_GUARDED_BY(mutex) = false;
  bool closed CONCERTO_GUARDED_BY(mutex) = false;
};

Result<> MemoryStore::State::take_effect(const Effect& effect) {
  if (closed) return make_error(EngineErrc::store_unavailable, std::string(closed_text));
  if (poisoned) {
    return make_error(EngineErrc::store_unavailable, std::string(no_writes_text));
  }
  if (fails_after > 0 && --fails_after == 0) {
    poisoned = true;
    if (failure == Failure::applied) ignore_error(effect(*this), "the caller hears of the failure");
    return make_error(EngineErrc::store_failed, "a write failed");
  }
  Result<> done = effect(*this);
  if (done) ++effects;
  return done;
}

void MemoryStore::State::run(Waiting next) {
  asio::post(next.executor,
             [completion = std::move(next.completion), done = take_effect(next.effect)]() mutable {
               completion(std::move(done));
             });
}

void MemoryStore::State::remember(const Gid& gid, const Transaction* before,
                                  Durability durability) {
  if (durability == Durability::durable) return undo.clear();
  if (crash_mode == Crash::keeps_progress) return;
  undo.emplace_back(gid, before != nullptr ? std::optional{*before} : std::nullopt);
}

Result<> MemoryStore::State::create(const Transaction& trans, Durability durability) {
  if (transactions.contains(trans.gid)) return gid_exists(trans.gid);
  remember(trans.gid, nullptr, durability);
  const std::uint64_t sequence = ++last_sequence;
  transactions.emplace(trans.gid, Entry{sequence, trans});
  by_sequence.emplace(sequence, trans.gid);
  return ok();
}

Result<> MemoryStore::State::update(const UpdateTrans& update, Durability durability) {
  const auto found = transactions.find(update.gid);
  if (found == transactions.end()) return trans_not_found(update.gid);
  Transaction& trans = found->second.trans;
  CONCERTO_CHECK(check_status(update, trans.status));
  if (!fits(trans, update.delta)) {
    return make_error(Errc::invalid_request,
                      "a branch or payload of '" + update.gid.str() + "' does not exist");
  }
  CONCERTO_CHECK(check_new_branches(trans, update.delta));
  remember(update.gid, &trans, durability);
  apply(trans, update.delta);
  return ok();
}

MemoryStore::MemoryStore(Crash crash) : state_(std::make_unique<State>(crash)) {}
MemoryStore::~MemoryStore() = default;

void MemoryStore::hold_commits() {
  const MutexLock lock(state_->mutex);
  state_->holding = true;
}

void MemoryStore::release_commits(std::size_t count) {
  const MutexLock lock(state_->mutex);
  for (; count > 0 && !state_->waiting.empty(); --count) {
    State::Waiting next = std::move(state_->waiting.front());
    state_->waiting.pop_front();
    state_->run(std::move(next));
  }
}

void MemoryStore::release_commits() {
  release_commits(all_commits);
  const MutexLock lock(state_->mutex);
  state_->holding = false;
}

std::size_t MemoryStore::held_commits() const {
  const MutexLock lock(state_->mutex);
  return state_->waiting.size();
}

void MemoryStore::fail_commit(std::size_t nth, Failure failure) {
  const MutexLock lock(state_->mutex);
  state_->fails_after = nth;
  state_->failure = failure;
}

void MemoryStore::crash() {
  // Destroyed after the lock is released, because coroutines unwind.
  std::deque<State::Waiting> vanished;
  const MutexLock lock(state_->mutex);
  vanished.swap(state_->waiting);
  for (auto lost = state_->undo.rbegin(); lost != state_->undo.rend(); ++lost) {
    auto& [gid, before] = *lost;
    const auto found = state_->transactions.find(gid);
    if (before) {
      found->second.trans = std::move(*before);
    } else {
      state_->by_sequence.erase(found->second.sequence);
      state_->transactions.erase(found);
    }
  }
  state_->undo.clear();
  state_->holding = false;
  state_->fails_after = 0;
  state_->poisoned = false;
}

std::size_t MemoryStore::commits() const {
  const MutexLock lock(state_->mutex);
  return state_->effects;
}

namespace {

/// Hands a change to the store and awaits its effect. A template, because MemoryStore::State is
/// private.
template <class State, class Effect>
Async<> order(State& state, Effect effect) {
  Executor executor = co_await asio::this_coro::executor;
  auto start = [&state, &effect, &executor](Completion<Result<>> completion) {
    typename State::Waiting next{std::move(effect), executor, std::move(completion)};
    const MutexLock lock(state.mutex);
    if (state.holding) {
      state.waiting.push_back(std::move(next));
    } else {
      state.run(std::move(next));
    }
  };
  co_return co_await suspend<Result<>>(start);
}

}  // namespace

void MemoryStore::set_retention(const StoreRetention& /*retention*/) {}

Result<> MemoryStore::maintain() {
  return ok();
}

void MemoryStore::close() {
  const MutexLock lock(state_->mutex);
  state_->closed = true;
}

StoreHealth MemoryStore::health() const {
  const MutexLock lock(state_->mutex);
  StoreHealth health;
  if (state_->poisoned) health.add(StoreHealth::State::failed, std::string(no_writes_text));
  if (state_->closed) health.add(StoreHealth::State::failed, std::string(closed_text));
  return health;
}

Async<> MemoryStore::commit(Change change) {
  State::Effect effect = [&change](State& state) {
    state.mutex.is_held();
    if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
      return state.create(*created->trans, change.durability);
    }
    return state.update(std::get<UpdateTrans>(change.what), change.durability);
  };
  co_return co_await order(*state_, std::move(effect));
}

Async<std::optional<Transaction>> MemoryStore::load(Gid gid) {
  const MutexLock lock(state_->mutex);
  const auto found = state_->transactions.find(gid);
  std::optional<Transaction> loaded;
  if (found != state_->transactions.end()) loaded = found->second.trans;
  co_return loaded;
}

Async<UnfinishedPage> MemoryStore::scan_unfinished(std::uint64_t from, std::size_t limit) {
  const MutexLock lock(state_->mutex);
  UnfinishedPage page;
  for (auto at = state_->by_sequence.lower_bound(from); at != state_->by_sequence.end(); ++at) {
    const Transaction& trans = state_->transactions.at(at->second).trans;
    if (is_final(trans.status)) continue;
    if (page.transactions.size() == std::max<std::size_t>(limit, 1)) {
      page.next = at->first;
      break;
    }
    page.transactions.push_back(unfinished_of(trans));
  }
  co_return page;
}

Async<TransPage> MemoryStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(const auto before, parse_position(position));
  const MutexLock lock(state_->mutex);
  TransPage page;
  std::size_t page_bytes = 0;
  auto at = before ? state_->by_sequence.lower_bound(*before) : state_->by_sequence.end();
  while (at != state_->by_sequence.begin()) {
    --at;
    const Transaction& trans = state_->transactions.at(at->second).trans;
    if (!matches(filter, trans)) continue;
    const bool is_full = page.transactions.size() == std::max<std::size_t>(limit, 1);
    if (is_full || page_bytes >= page_bytes_max) {
      page.next_position = std::to_string(at->first + 1);
      break;
    }
    page.transactions.push_back(without_branches(trans));
    page_bytes += listed_bytes(page.transactions.back());
  }
  co_return page;
}

Async<std::vector<KvRecord>> MemoryStore::find_kv(std::string cat, std::string key) {
  const MutexLock lock(state_->mutex);
  co_return state_->kv.find(cat, key);
}

Async<KvPage> MemoryStore::scan_kv(std::string cat, std::string position, std::size_t limit) {
  const MutexLock lock(state_->mutex);
  co_return state_->kv.scan(cat, position, limit);
}

Async<> MemoryStore::create_kv(KvRecord record) {
  State::Effect effect = [&record](State& state) -> Result<> {
    state.mutex.is_held();
    CONCERTO_CHECK(state.kv.check_create(record));
    state.kv.put(state.kv.created(record));
    state.undo.clear();
    return ok();
  };
  co_return co_await order(*state_, std::move(effect));
}

Async<> MemoryStore::update_kv(KvRecord record) {
  State::Effect effect = [&record](State& state) -> Result<> {
    state.mutex.is_held();
    CONCERTO_CHECK(state.kv.check_update(record));
    state.kv.put(state.kv.updated(record));
    state.undo.clear();
    return ok();
  };
  co_return co_await order(*state_, std::move(effect));
}

Async<> MemoryStore::delete_kv(std::string cat, std::string key) {
  State::Effect effect = [&cat, &key](State& state) -> Result<> {
    state.mutex.is_held();
    CONCERTO_CHECK(state.kv.check_erase(cat, key));
    state.kv.erase(cat, key);
    state.undo.clear();
    return ok();
  };
  co_return co_await order(*state_, std::move(effect));
}

}  // namespace concerto::persist
