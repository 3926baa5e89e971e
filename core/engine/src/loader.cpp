#include "loader.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

#include "stored_rows.hpp"
#include "thrown.hpp"

namespace concerto {
namespace {

/// How many transactions are noted that end while the store lists a page. If one more is on that
/// page, it counts as unfinished until its alarm is due and shows that it has ended.
constexpr std::size_t ended_max = 100'000;

/// Rows that coordinators share have no submit time. Of a transaction that waits for its delay it
/// is known from the end of the delay. For any other the creation serves: it is not later.
void set_submit_time(Transaction& trans, const CustomData& custom) {
  if (trans.submit_time || trans.status == TransStatus::prepared) return;
  trans.submit_time = trans.create_time;
  if (!trans.waits || custom.delay.count() == 0) return;
  trans.submit_time = std::max<WallTime>(trans.create_time, trans.next_cron_time - custom.delay);
}

std::string_view payload_of(const Transaction& trans, const Branch& row) {
  return row.payload < trans.payloads.size() ? trans.payloads[row.payload] : std::string_view{};
}

/// Whether a row that is still to be called has the same URL and payload in both: an operator of
/// another coordinator may have changed them.
bool has_same_call(const Transaction& known, const Transaction& stored, std::size_t index) {
  const Branch& row = known.branches[index];
  const Branch& other = stored.branches[index];
  if (row.status != BranchStatus::prepared) return true;
  return row.url == other.url && payload_of(known, row) == payload_of(stored, other);
}

bool is_unknown(const Result<Claimed>& claimed) {
  return !claimed && claimed.error().code == EngineErrc::store_failed;
}

}  // namespace

bool has_all_of(const Transaction& known, const Transaction& stored) {
  if (stored.status != known.status || stored.branches.size() != known.branches.size())
    return false;
  if (stored.rollback_reason != known.rollback_reason) return false;
  for (std::size_t i = 0; i < stored.branches.size(); ++i) {
    const BranchStatus status = stored.branches[i].status;
    if (status != BranchStatus::prepared && status != known.branches[i].status) return false;
    if (!has_same_call(known, stored, i)) return false;
  }
  return true;
}

Task<Turn> Loader::enter(const Gid& gid) {
  return live_.take_turn(live_.pin(gid));
}

bool Loader::is_current(const LiveTrans& live) const noexcept {
  using Knowledge = LiveTrans::Knowledge;
  if (env_.ownership == nullptr) return live.knowledge != Knowledge::none;
  if (live.knowledge != Knowledge::present) return false;
  // A driver finds out by itself whether it still has the lease.
  if (is_final(live.trans.status) || live.is_driven()) return true;
  // The reference registers branches of a prepared transaction whoever has its lease.
  return live.trans.status != TransStatus::prepared && env_.now() < live.lease_end;
}

bool Loader::may_show(const LiveTrans& live) const noexcept {
  if (live.knowledge != LiveTrans::Knowledge::present) return false;
  if (env_.ownership == nullptr) return true;
  return is_final(live.trans.status) || env_.now() < live.lease_end;
}

bool Loader::is_timed_out(const LiveTrans& live) const {
  const Transaction& trans = live.trans;
  if (env_.ownership == nullptr) {
    // A prepared transaction waits only after its timeout.
    return trans.status == TransStatus::prepared && trans.waits;
  }
  const auto timeout = timeout_of(live);
  if (timeout.count() == 0) return false;
  return time_left(timeout, trans.create_time, env_.clock.wall_now()).count() == 0;
}

Async<> Loader::load(LiveTrans& live, StatusSet taken) {
  if (is_current(live)) co_return ok();
  if (live.calls.running > 0) {
    // This happens after a failed write or a lost lease. The calls still use the transaction in
    // memory.
    co_return make_error(EngineErrc::store_unavailable,
                         "gid " + live.gid.str() + " cannot be read while its calls end");
  }
  if (env_.ownership != nullptr) co_return co_await load_shared(live, taken);
  Result<std::optional<Transaction>> found = std::optional<Transaction>();
  try {
    found = co_await env_.store.load(live.gid);
  } catch (...) {
    found = make_error(EngineErrc::store_busy, thrown_by("the store"));
  }
  if (!found) co_return found.error();
  co_return accept(live, std::move(*found));
}

Async<> Loader::load_shared(LiveTrans& live, StatusSet taken) {
  live.knowledge = LiveTrans::Knowledge::none;
  SteadyTime asked = env_.now();
  CONCERTO_CO_TRY(Claimed claimed, co_await claim(live.gid, Claim::if_free));
  if (!claimed.is_ours && claimed.trans && taken.contains(claimed.trans->status)) {
    asked = env_.now();
    Result<Claimed> taken_over = co_await claim(live.gid, Claim::always);
    note_others(live, taken_over);
    if (!taken_over) co_return taken_over.error();
    claimed = std::move(*taken_over);
  }
  live.lease_end = claimed.is_ours ? asked + env_.ownership->lease() : SteadyTime{};
  co_return accept(live, std::move(claimed.trans));
}

/// Notes until when the coordinator may make calls from which the transaction was taken, or perhaps
/// was taken: the store counts a failed claim as this coordinator's lease from then on, and the
/// next claim does not tell about the other one.
void Loader::note_others(LiveTrans& live, const Result<Claimed>& claimed) const {
  constexpr std::chrono::seconds margin{2};  // Leases in the store are rounded up.
  std::chrono::nanoseconds left{};
  if (!claimed) {
    left = env_.ownership->lease() + margin;
  } else if (claimed->is_ours && !claimed->trans->waits) {
    left = claimed->trans->next_cron_time - env_.clock.wall_now();
  } else {
    return;
  }
  live.others_until = std::max(live.others_until, env_.now() + left);
}

/// A claim whose outcome is unknown may be made again.
Async<Claimed> Loader::claim(Gid gid, Claim how) {
  Result<Claimed> claimed = co_await env_.ownership->claim(gid, how);
  if (is_unknown(claimed)) claimed = co_await env_.ownership->claim(gid, how);
  if (!claimed) log_.write_refusal(gid, claimed.error());
  if (is_unknown(claimed)) {
    co_return make_error(EngineErrc::store_busy, "no claim: " + claimed.error().detail);
  }
  co_return claimed;
}

Result<> Loader::add_claimed(LiveTrans& live, Transaction&& trans, SteadyTime lease_end) {
  CONCERTO_ASSERT(live.turn.is_taken && live.knowledge == LiveTrans::Knowledge::none);
  live.lease_end = lease_end;
  return accept(live, std::move(trans));
}

/// Takes what the store has answered into memory.
Result<> Loader::accept(LiveTrans& live, std::optional<Transaction> found) {
  if (!found) {
    live.knowledge = LiveTrans::Knowledge::absent;
    forget_damage(live.gid);
    forget(live);
    return ok();
  }
  CONCERTO_ASSERT(found->gid == live.gid);
  const Mode* mode = env_.modes.find(found->type);
  if (mode == nullptr) {
    return make_error(Errc::not_supported,
                      "trans_type '" + std::string(env_.modes.name_of(found->type)) + "' of gid " +
                          live.gid.str() + " is not in this version");
  }
  Result<CustomData> custom = read_stored(*mode, *found);
  if (!custom) {
    tell_damage(live.gid, custom.error());
    return custom.error();
  }
  forget_damage(live.gid);
  adopt(live, std::move(*found), std::move(*custom), *mode);
  if (is_final(live.trans.status)) {
    live.lease_end = {};
    forget(live);
  } else if (env_.ownership != nullptr && !live.has_lease()) {
    live.knowledge = LiveTrans::Knowledge::others;
    forget(live);
  } else {
    count(live);
  }
  return ok();
}

void Loader::look_at(const Gid& gid, const std::optional<Transaction>& stored) {
  const Mode* mode = stored ? env_.modes.find(stored->type) : nullptr;
  if (stored && mode == nullptr) return;
  const Result<CustomData> custom = stored ? read_stored(*mode, *stored) : CustomData();
  if (custom) {
    forget_damage(gid);
  } else {
    tell_damage(gid, custom.error());
  }
}

std::unordered_map<Gid, std::string> Loader::damaged() const {
  const MutexLock lock(damage_mutex_);
  return told_damaged_;
}

/// One line for each transaction, until it can be read.
void Loader::tell_damage(const Gid& gid, const Error& error) {
  constexpr std::size_t told_max = 10'000;
  {
    const MutexLock lock(damage_mutex_);
    if (const auto told = told_damaged_.find(gid); told != told_damaged_.end()) {
      told->second = error.detail;
      return;
    }
    if (told_damaged_.size() >= told_max) return;
    told_damaged_.emplace(gid, error.detail);
    damaged_.store(told_damaged_.size(), std::memory_order_relaxed);
  }
  env_.observer.log(
      LogLevel::error, gid.view(),
      error.detail + "; it is left alone until an operator acts (docs/operations.md)");
}

void Loader::forget_damage(const Gid& gid) {
  if (damaged_.load(std::memory_order_relaxed) == 0) return;
  const MutexLock lock(damage_mutex_);
  if (told_damaged_.erase(gid) > 0) {
    damaged_.store(told_damaged_.size(), std::memory_order_relaxed);
  }
}

/// Zero if the transaction cannot time out in its status.
std::chrono::seconds Loader::timeout_of(const LiveTrans& live) const {
  const Transaction& trans = live.trans;
  if (trans.status != live.mode->times_out_in) return {};
  return env_.timeout_of(trans.options.timeout_to_fail, *live.mode);
}

void Loader::arm_timeout(const LiveTrans& live) {
  const auto timeout = timeout_of(live);
  if (timeout.count() == 0) return;
  const auto left = time_left(timeout, live.trans.create_time, env_.clock.wall_now());
  wakes_.set_timeout(live.gid, env_.now() + left);
}

void Loader::arm_missing_timeout(const LiveTrans& live) {
  if (live.timed_out || timeout_of(live).count() == 0) return;
  if (wakes_.alarms().timeout_of(live.gid) == SteadyTime::max()) arm_timeout(live);
}

void Loader::add_new(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode) {
  CONCERTO_ASSERT(live.turn.is_taken && !is_final(trans.status));
  adopt(live, std::move(trans), std::move(custom), mode);
  count(live);
}

void Loader::adopt(LiveTrans& live, Transaction&& trans, CustomData&& custom, const Mode& mode) {
  CONCERTO_ASSERT(live.calls.running == 0);
  live.trans = std::move(trans);
  live.custom = std::move(custom);
  if (env_.ownership != nullptr) set_submit_time(live.trans, live.custom);
  live.mode = &mode;
  live.knowledge = LiveTrans::Knowledge::present;
  tracing_.look_at(live);
  live.forget_unsaved();  // Results of calls whose change was lost: the calls are repeated.
  live.forget_results();
  live_.count_bytes(live);
}

void Loader::forget(LiveTrans& live) {
  auto counted = wakes_.remove(live.gid);
  if (std::exchange(live.counted, false)) counted = live.trans.type;
  if (counted) count_unfinished(*counted, -1);
  if (ended_ && ended_->size() < ended_max) ended_->insert(live.gid);
}

void Loader::leave_memory(LiveTrans& live) {
  CONCERTO_ASSERT(!live.is_driven() && live.pass.slot.empty());
  // Without an alarm the next poll of some coordinator finds it.
  if (live.counted && env_.ownership != nullptr && !wakes_.has(live.gid)) forget(live);
  if (live.counted) wakes_.add(live.gid, live.trans.type, live.trans.create_time);
  // While memory is full no alarm wakes a transaction. Now there is room for one.
  if (live_.size() + 1 == env_.options.in_flight_max) wakes_.set_next_alarm();
}

void Loader::note_rest(const Gid& gid) {
  if (ended_ && ended_->size() < ended_max) ended_->insert(gid);
}

bool Loader::may_be_old(const Gid& gid) const {
  return !ended_ || ended_->size() >= ended_max || ended_->contains(gid);
}

/// Counts an unfinished transaction, unless it is counted among those that wait.
void Loader::count(LiveTrans& live) {
  if (std::exchange(live.counted, true) || wakes_.alarms().type_of(live.gid)) return;
  count_unfinished(live.trans.type, +1);
}

void Loader::count_listed(const UnfinishedTrans& unfinished) {
  const LiveTrans* live = live_.find(unfinished.gid);
  if (live != nullptr && live->counted) return;
  const TransType type = unfinished.type;
  if (wakes_.add(unfinished.gid, type, unfinished.create_time)) count_unfinished(type, +1);
}

void Loader::count_unfinished(TransType type, int difference) {
  auto& count = unfinished_[static_cast<std::size_t>(type) % trans_types];
  CONCERTO_ASSERT(difference > 0 || count.load(std::memory_order_relaxed) > 0);
  count.store(count.load(std::memory_order_relaxed) + static_cast<std::size_t>(difference),
              std::memory_order_relaxed);
}

Async<Turn> Loader::enter_existing(Gid gid, StatusSet taken) {
  Turn turn = co_await enter(gid);
  CONCERTO_CO_CHECK(co_await load(*turn, taken));
  if (turn->knowledge == LiveTrans::Knowledge::absent) {
    co_return make_error(EngineErrc::trans_not_found,
                         "no TransGlobal with gid: " + gid.str() + " found");
  }
  co_return turn;
}

void Loader::add_to(InFlight& sum) const noexcept {
  sum.damaged += damaged_.load(std::memory_order_relaxed);
  for (std::size_t type = 0; type < trans_types; ++type) {
    sum.unfinished[type] += unfinished_[type].load(std::memory_order_relaxed);
  }
}

}  // namespace concerto
