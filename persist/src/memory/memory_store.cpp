#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

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
    Entry(std::size_t order, const Transaction& created) : number(order), trans(created) {}

    std::size_t number;
    Transaction trans;
  };

  State(Crash crash, Answers how) : crash_mode(crash), answers(how) {}

  /// The result of a change that does not wait, null if it has to wait or its answer is posted.
  std::optional<Result<>> take_at_once(const Effect& effect);

  Result<> take_effect(const Effect& effect) CONCERTO_REQUIRES(mutex);
  void run(Waiting waiting) CONCERTO_REQUIRES(mutex);
  Result<> create(const Transaction& trans, Durability durability) CONCERTO_REQUIRES(mutex);
  Result<> update(const UpdateTrans& update, Durability durability) CONCERTO_REQUIRES(mutex);
  void remember(const Gid& gid, const Transaction* before, Durability durability)
      CONCERTO_REQUIRES(mutex);

  const Crash crash_mode;
  const Answers answers;
  mutable Mutex mutex;
  std::unordered_map<Gid, Entry> transactions CONCERTO_GUARDED_BY(mutex);
  /// Entry n - 1 is the transaction numbered n; null if a crash has taken it.
  std::vector<const Transaction*> by_number CONCERTO_GUARDED_BY(mutex);
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

std::optional<Result<>> MemoryStore::State::take_at_once(const Effect& effect) {
  const MutexLock lock(mutex);
  if (holding || answers == Answers::posted) return std::nullopt;
  return take_effect(effect);
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
  const auto [entry, is_new] = transactions.try_emplace(trans.gid, by_number.size() + 1, trans);
  if (!is_new) return gid_exists(trans.gid);
  by_number.push_back(&entry->second.trans);
  remember(trans.gid, nullptr, durability);
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

MemoryStore::MemoryStore(Crash crash, Answers answers)
    : state_(std::make_unique<State>(crash, answers)) {}
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
      state_->by_number[found->second.number - 1] = nullptr;
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

Async<> MemoryStore::commit(const Change& change) {
  State::Effect effect = [&change](State& state) {
    state.mutex.is_held();
    if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
      return state.create(*created->trans, change.durability);
    }
    return state.update(std::get<UpdateTrans>(change.what), change.durability);
  };
  if (auto done = state_->take_at_once(effect)) co_return std::move(*done);
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
  const std::size_t last = state_->by_number.size();
  for (std::size_t number = std::max<std::size_t>(from, 1); number <= last; ++number) {
    const Transaction* trans = state_->by_number[number - 1];
    if (trans == nullptr || is_final(trans->status)) continue;
    if (page.transactions.size() == std::max<std::size_t>(limit, 1)) {
      page.next = number;
      break;
    }
    page.transactions.push_back(unfinished_of(*trans));
  }
  co_return page;
}

Async<TransPage> MemoryStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(const auto before, parse_position(position));
  const MutexLock lock(state_->mutex);
  TransPage page;
  std::size_t page_bytes = 0;
  std::size_t number = state_->by_number.size() + 1;
  if (before) number = std::min<std::size_t>(number, std::max<std::size_t>(*before, 1));
  while (--number > 0) {
    const Transaction* trans = state_->by_number[number - 1];
    if (trans == nullptr || !matches(filter, *trans)) continue;
    const bool is_full = page.transactions.size() == std::max<std::size_t>(limit, 1);
    if (is_full || page_bytes >= page_bytes_max) {
      page.next_position = std::to_string(number + 1);
      break;
    }
    page.transactions.push_back(without_branches(*trans));
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
  if (auto done = state_->take_at_once(effect)) co_return std::move(*done);
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
  if (auto done = state_->take_at_once(effect)) co_return std::move(*done);
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
  if (auto done = state_->take_at_once(effect)) co_return std::move(*done);
  co_return co_await order(*state_, std::move(effect));
}

}  // namespace concerto::persist
