#include "shared_store.hpp"

#include <algorithm>
#include <memory>

#include "await_result.hpp"

namespace concerto::test {
namespace {

using Seconds = std::chrono::seconds;

/// Takes one of the calls that a test has scripted.
bool takes_one(std::size_t& count) noexcept {
  if (count == 0) return false;
  if (count != SharedStore::always) --count;
  return true;
}

Error busy() {
  return make_error(EngineErrc::store_busy, "the server is away");
}

Error failed() {
  return make_error(EngineErrc::store_failed, "the answer is lost");
}

}  // namespace

Result<> SharedWorld::commit(const std::string& node, Change change, WallTime node_now) {
  if (const auto* create = std::get_if<CreateTrans>(&change.what)) {
    const Transaction& trans = *create->trans;
    const Gid gid = trans.gid;
    const bool rests = trans.status == TransStatus::prepared;
    const WallTime until = trans.next_cron_time;
    const bool is_open = !is_final(trans.status);
    CONCERTO_CHECK(await_result(io_, data_.commit(std::move(change))));
    if (!is_open) return ok();
    Row& row = rows_[gid.str()];
    rests ? rest(row, node, gid, now() + (until - node_now)) : grant(row, node, gid);
    return ok();
  }
  auto& update = std::get<UpdateTrans>(change.what);
  CONCERTO_CHECK(check_fence(node, update));
  const Gid gid = update.gid;
  const auto rests_until = update.rests_until;
  CONCERTO_CHECK(await_result(io_, data_.commit(std::move(change))));
  const auto found = rows_.find(gid.str());
  if (found == rows_.end()) return ok();  // It was finished before.
  if (is_final(stored(gid)->status)) {
    rows_.erase(found);
    granted_.erase({node, gid.str()});
  } else if (rests_until) {
    rest(found->second, node, gid, now() + (*rests_until - node_now));
  } else {
    grant(found->second, node, gid);
  }
  return ok();
}

/// A finished transaction belongs to nobody. Its status alone decides.
Result<> SharedWorld::check_fence(const std::string& node, UpdateTrans& update) {
  const auto found = rows_.find(update.gid.str());
  if (found == rows_.end()) return ok();
  if (!has_fence) {
    update.expected = stored(update.gid)->status;
    return ok();
  }
  if (found->second.owner == node) return ok();
  return make_error(EngineErrc::lease_lost,
                    "'" + update.gid.str() + "' belongs to '" + found->second.owner + "'");
}

bool SharedWorld::may_take(const Row& row, const std::string& node) const {
  return row.owner == node || row.owner == rest_mark || row.until <= now();
}

void SharedWorld::grant(Row& row, const std::string& node, const Gid& gid) {
  row.owner = node;
  row.until = std::chrono::round<Seconds>(now() + lease_ + row_margin);
  granted_[{node, gid.str()}] = row.until;
}

void SharedWorld::rest(Row& row, const std::string& node, const Gid& gid, WallTime until) {
  row.owner = rest_mark;
  row.until = std::chrono::ceil<Seconds>(until);  // What rests is not due before its time.
  granted_.erase({node, gid.str()});
}

Claimed SharedWorld::claim(const std::string& node, const Gid& gid, Claim how, WallTime node_now) {
  Claimed claimed;
  claimed.trans = load(gid, node_now);
  const auto found = rows_.find(gid.str());
  if (found == rows_.end()) return claimed;
  claimed.is_ours = how == Claim::always || may_take(found->second, node);
  if (claimed.is_ours) grant(found->second, node, gid);
  return claimed;
}

std::vector<Transaction> SharedWorld::claim_due(const std::string& node, std::size_t limit,
                                                WallTime node_now) {
  std::vector<std::pair<WallTime, std::string>> due;
  for (const auto& [gid, row] : rows_) {
    if (row.until <= now()) due.emplace_back(row.until, gid);
  }
  std::sort(due.begin(), due.end());
  std::vector<Transaction> claimed;
  for (const auto& [until, gid] : due) {
    if (claimed.size() == limit) break;
    Claimed one = claim(node, Gid(gid), Claim::if_free, node_now);
    claimed.push_back(std::move(*one.trans));
  }
  return claimed;
}

std::vector<Gid> SharedWorld::renew(const std::string& node, const std::vector<Gid>& gids) {
  std::vector<Gid> lost;
  for (const Gid& gid : gids) {
    const auto found = rows_.find(gid.str());
    if (found == rows_.end() || found->second.owner != node) {
      lost.push_back(gid);
    } else {
      grant(found->second, node, gid);
    }
  }
  return lost;
}

void SharedWorld::let_go(const std::string& node, const Gid& gid, WallTime until,
                         WallTime node_now) {
  const auto found = rows_.find(gid.str());
  if (found == rows_.end() || found->second.owner != node) return;
  rest(found->second, node, gid, now() + (until - node_now));
}

std::optional<Owner> SharedWorld::owner_of(const std::string& node, const Gid& gid,
                                           WallTime node_now) const {
  const auto found = rows_.find(gid.str());
  if (found == rows_.end()) return std::nullopt;
  const Row& row = found->second;
  if (row.owner == rest_mark || row.until <= now()) return std::nullopt;
  Owner owner;
  owner.id = row.owner;
  owner.is_this = row.owner == node;
  owner.is_coordinator = row.owner.starts_with("cc-");
  owner.until = node_now + (row.until - now());
  return owner;
}

std::vector<Gid> SharedWorld::resting(Seconds beyond, WallTime unchanged_since, std::size_t limit) {
  std::vector<std::pair<WallTime, Gid>> found;
  for (const auto& [gid, row] : rows_) {
    if (row.owner != rest_mark || row.until <= now() + beyond) continue;
    if (stored(Gid(gid))->update_time <= unchanged_since) found.emplace_back(row.until, gid);
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &std::pair<WallTime, Gid>::first);
  std::vector<Gid> gids;
  for (const auto& [until, gid] : found) {
    if (gids.size() < limit) gids.push_back(gid);
  }
  return gids;
}

Backlog SharedWorld::backlog() {
  Backlog counted;
  for (const auto& [gid, row] : rows_) {
    const Transaction trans = stored(Gid(gid)).value();
    ++counted.by_type[static_cast<std::size_t>(trans.type)];
    counted.oldest = std::min(counted.oldest.value_or(WallTime::max()), trans.create_time);
  }
  return counted;
}

std::optional<Transaction> SharedWorld::stored(const Gid& gid) {
  return await_result(io_, data_.load(gid)).value();
}

std::optional<Transaction> SharedWorld::load(const Gid& gid, WallTime node_now) {
  std::optional<Transaction> found = stored(gid);
  if (!found) return found;
  const auto row = rows_.find(gid.str());
  found->submit_time.reset();
  if (row == rows_.end()) return found;
  return shown(std::move(*found), row->second, node_now);
}

/// A row has no `submit_time` and no `waits`; next_cron_time is a time of the database's clock.
Transaction SharedWorld::shown(Transaction trans, const Row& row, WallTime node_now) const {
  trans.next_cron_time = node_now + (row.until - now());
  const bool was_at_work = row.owner.starts_with("cc-") && row.owner != rest_mark;
  trans.waits = row.owner == rest_mark || (!was_at_work && row.until <= now());
  return trans;
}

std::string SharedWorld::owner(const Gid& gid) const {
  const auto found = rows_.find(gid.str());
  return found == rows_.end() ? std::string() : found->second.owner;
}

void SharedWorld::set_owner(const Gid& gid, std::string owner, WallTime until) {
  rows_.at(gid.str()) = Row{std::move(owner), until};
}

bool SharedWorld::has_lease(const std::string& node, const Gid& gid) const {
  const auto found = granted_.find({node, gid.str()});
  return found != granted_.end() && found->second > now();
}

void SharedStore::release(std::size_t count) {
  for (; count > 0 && !held_.empty(); --count) release_at(0);
}

void SharedStore::release_at(std::size_t index) {
  const auto chosen = held_.begin() + static_cast<std::ptrdiff_t>(index);
  const Arrive arrive = std::move(*chosen);
  held_.erase(chosen);
  arrive(true);
}

void SharedStore::release() {
  holding_ = false;
  release(always);
}

void SharedStore::crash(const std::function<bool()>& arrives) {
  for (const Arrive& arrive : std::exchange(held_, {})) {
    if (arrives()) arrive(false);
  }
}

/// Hands a call to the server. The answer comes back by a post, as from a socket.
template <class T, class Effect>
Async<T> SharedStore::send(Effect effect) {
  Executor executor = co_await asio::this_coro::executor;
  auto start = [this, &effect, &executor](Completion<Result<T>> completion) {
    // A function has to be copyable. The effect is copied, so that it does not need the coroutine,
    // which a crash destroys.
    auto done = std::make_shared<Completion<Result<T>>>(std::move(completion));
    Arrive arrive = [effect, executor, done = std::move(done)](bool answers) {
      Result<T> result = effect();
      if (!answers) return;
      asio::post(executor,
                 [done, result = std::move(result)]() mutable { (*done)(std::move(result)); });
    };
    if (holding_) {
      held_.push_back(std::move(arrive));
    } else {
      arrive(true);
    }
  };
  co_return co_await suspend<Result<T>>(start);
}

Async<> SharedStore::commit(const Change& asked) {
  ++commits;
  // A call on its way outlives a coordinator that was killed.
  Change change = asked;
  auto own = std::make_shared<Transaction>();
  auto* update = std::get_if<UpdateTrans>(&change.what);
  if (update != nullptr) update->known = nullptr;
  if (auto* create = std::get_if<CreateTrans>(&change.what)) {
    create->trans = &(*own = *create->trans);
  }
  const WallTime sent = clock_.wall_now();
  auto effect = [this, own, sent, change = std::move(change)]() -> Result<> {
    if (takes_one(busy_calls)) return busy();
    if (takes_one(lost_calls)) return failed();
    Result<> done = world_.commit(node_, change, sent);
    if (done && takes_one(lost_answers)) return failed();
    return done;
  };
  co_return co_await send<void>(std::move(effect));
}

Async<std::optional<Transaction>> SharedStore::load(Gid gid) {
  ++loads;
  auto effect = [this, gid = std::move(gid)]() -> Result<std::optional<Transaction>> {
    if (takes_one(busy_calls)) return busy();
    return world_.load(gid, clock_.wall_now());
  };
  co_return co_await send<std::optional<Transaction>>(std::move(effect));
}

Async<Claimed> SharedStore::claim(Gid gid, Claim how) {
  ++claims;
  auto effect = [this, how, gid = std::move(gid)]() -> Result<Claimed> {
    if (takes_one(busy_calls)) return busy();
    if (takes_one(lost_calls)) return failed();
    Claimed claimed = world_.claim(node_, gid, how, clock_.wall_now());
    if (claimed.is_ours && takes_one(lost_answers)) return failed();
    return claimed;
  };
  co_return co_await send<Claimed>(std::move(effect));
}

Async<std::vector<Transaction>> SharedStore::claim_due(std::size_t limit) {
  ++polls;
  auto effect = [this, limit]() -> Result<std::vector<Transaction>> {
    if (takes_one(busy_calls)) return busy();
    if (takes_one(lost_calls)) return failed();
    std::vector<Transaction> claimed = world_.claim_due(node_, limit, clock_.wall_now());
    if (!claimed.empty() && takes_one(lost_answers)) return failed();
    return claimed;
  };
  co_return co_await send<std::vector<Transaction>>(std::move(effect));
}

Async<std::vector<Gid>> SharedStore::renew(std::vector<Gid> gids) {
  ++renewals;
  auto effect = [this, gids = std::move(gids)]() -> Result<std::vector<Gid>> {
    if (takes_one(busy_calls)) return busy();
    if (takes_one(lost_calls)) return failed();
    std::vector<Gid> lost = world_.renew(node_, gids);
    if (takes_one(lost_answers)) return failed();
    return lost;
  };
  co_return co_await send<std::vector<Gid>>(std::move(effect));
}

Async<> SharedStore::let_go(Gid gid, WallTime until) {
  let_go_gids.push_back(gid.str());
  const WallTime sent = clock_.wall_now();
  auto effect = [this, sent, until, gid = std::move(gid)]() -> Result<> {
    if (takes_one(busy_calls)) return busy();
    if (takes_one(lost_calls)) return failed();
    world_.let_go(node_, gid, until, sent);
    if (takes_one(lost_answers)) return failed();
    return ok();
  };
  co_return co_await send<void>(std::move(effect));
}

Async<std::vector<Gid>> SharedStore::resting(Seconds beyond, WallTime since, std::size_t limit) {
  auto effect = [this, beyond, since, limit]() -> Result<std::vector<Gid>> {
    if (takes_one(busy_calls)) return busy();
    return world_.resting(beyond, since, limit);
  };
  co_return co_await send<std::vector<Gid>>(std::move(effect));
}

Async<std::optional<Owner>> SharedStore::owner_of(Gid gid) {
  const WallTime sent = clock_.wall_now();
  auto effect = [this, sent, gid = std::move(gid)]() -> Result<std::optional<Owner>> {
    if (takes_one(busy_calls)) return busy();
    return world_.owner_of(node_, gid, sent);
  };
  co_return co_await send<std::optional<Owner>>(std::move(effect));
}

Async<Backlog> SharedStore::backlog() {
  auto effect = [this]() -> Result<Backlog> {
    if (takes_one(busy_calls)) return busy();
    return world_.backlog();
  };
  co_return co_await send<Backlog>(std::move(effect));
}

Async<UnfinishedPage> SharedStore::scan_unfinished(std::uint64_t from, std::size_t limit) {
  CONCERTO_CO_TRY(UnfinishedPage page, co_await world_.data().scan_unfinished(from, limit));
  for (UnfinishedTrans& unfinished : page.transactions) {
    const auto shown = world_.load(unfinished.gid, clock_.wall_now());
    unfinished.submit_time = shown->submit_time;
    unfinished.waits = shown->waits;
    unfinished.next_cron_time = shown->next_cron_time;
  }
  co_return page;
}

Async<TransPage> SharedStore::list(ListFilter filter, std::string position, std::size_t limit) {
  ++lists;
  if (filter.accepts_owner) {
    filter.accepts = [this, own = std::move(filter.accepts),
                      accepts_owner = std::move(filter.accepts_owner)](const Transaction& trans) {
      const auto owner = world_.owner_of(node_, trans.gid, clock_.wall_now());
      return accepts_owner(owner ? owner->id : std::string_view()) && (!own || own(trans));
    };
  }
  return world_.data().list(std::move(filter), std::move(position), limit);
}

Async<> SharedStore::create_kv(KvRecord record) {
  return world_.data().create_kv(std::move(record));
}

Async<> SharedStore::update_kv(KvRecord record) {
  return world_.data().update_kv(std::move(record));
}

Async<> SharedStore::delete_kv(std::string cat, std::string key) {
  return world_.data().delete_kv(std::move(cat), std::move(key));
}

StoreHealth SharedStore::health() const {
  StoreHealth health;
  if (busy_calls > 0 && !hides_trouble)
    health.add(StoreHealth::State::recovering, "the server is away");
  return health;
}

}  // namespace concerto::test
