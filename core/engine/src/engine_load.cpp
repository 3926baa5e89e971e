// How a transaction gets into memory.

#include <concerto/base/assert.hpp>

#include "engine.hpp"

namespace concerto {
namespace {

/// Transactions that may end while the store lists a page of unfinished ones. Of more, one that is
/// on the page counts as unfinished until its alarm finds that it has ended.
constexpr std::size_t ended_max = 100'000;

}  // namespace

Task<Turn> Engine::enter(const Gid& gid) {
  return live_.take_turn(live_.pin(gid));
}

Async<> Engine::load(LiveTrans& live) {
  if (live.knowledge != LiveTrans::Knowledge::none) co_return ok();
  if (live.calls.running > 0) {
    // After a failed write: the calls still refer to the transaction in memory.
    co_return make_error(Errc::store_unavailable,
                         "gid " + live.gid.str() + " cannot be read while its calls end");
  }
  CONCERTO_CO_TRY(std::optional<Transaction> found, co_await store_.load(live.gid));
  if (!found) {
    live.knowledge = LiveTrans::Knowledge::absent;
    forget(live);
    co_return ok();
  }
  CONCERTO_ASSERT(found->gid == live.gid);
  const Mode* mode = modes_.find(found->type);
  if (mode == nullptr) {
    co_return make_error(Errc::not_supported,
                         "trans_type '" + std::string(modes_.name_of(found->type)) + "' of gid " +
                             live.gid.str() + " is not in this version");
  }
  CONCERTO_CO_TRY(CustomData custom, parse_custom_data(*mode, found->custom_data, *found));
  adopt(live, std::move(*found), std::move(custom), *mode);
  if (is_final(live.trans.status)) {
    forget(live);
  } else {
    count(live);
  }
  co_return ok();
}

void Engine::adopt(LiveTrans& live, Transaction trans, CustomData custom, const Mode& mode) {
  CONCERTO_ASSERT(live.calls.running == 0);
  live.trans = std::move(trans);
  live.custom = std::move(custom);
  live.mode = &mode;
  live.knowledge = LiveTrans::Knowledge::present;
  live.forget_results();
  live_.count_bytes(live);
}

/// The transaction is finished, or was never there.
void Engine::forget(LiveTrans& live) {
  auto counted = wakes_.remove(live.gid);
  if (std::exchange(live.counted, false)) counted = live.trans.type;
  if (counted) count_unfinished(*counted, -1);
  if (ended_ && ended_->size() < ended_max) ended_->insert(live.gid);
}

void Engine::leave_memory(LiveTrans& live) {
  CONCERTO_ASSERT(!live.is_driven() && live.pass.slot.empty());
  if (live.counted) wakes_.add(live.gid, live.trans.type, live.trans.create_time);
  // Alarms do not ring while memory is full; this transaction makes room for the next one.
  if (live_.size() + 1 == options_.in_flight_max) wakes_.set_next_alarm();
}

/// Counts an unfinished transaction, unless it is counted among those at rest.
void Engine::count(LiveTrans& live) {
  if (std::exchange(live.counted, true) || wakes_.alarms().type_of(live.gid)) return;
  count_unfinished(live.trans.type, +1);
}

void Engine::count_unfinished(TransType type, int difference) {
  auto& count = unfinished_[static_cast<std::size_t>(type) % trans_types];
  CONCERTO_ASSERT(difference > 0 || count.load(std::memory_order_relaxed) > 0);
  count.store(count.load(std::memory_order_relaxed) + static_cast<std::size_t>(difference),
              std::memory_order_relaxed);
}

Async<Turn> Engine::enter_existing(Gid gid) {
  Turn turn = co_await enter(gid);
  CONCERTO_CO_CHECK(co_await load(*turn));
  if (turn->knowledge != LiveTrans::Knowledge::present) {
    co_return make_error(Errc::trans_not_found, "no TransGlobal with gid: " + gid.str() + " found");
  }
  co_return turn;
}

}  // namespace concerto
