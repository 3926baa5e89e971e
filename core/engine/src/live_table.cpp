#include "live_table.hpp"

#include <concerto/base/assert.hpp>

namespace concerto {

Pin::~Pin() {
  if (live_ == nullptr) return;
  CONCERTO_ASSERT(live_->users > 0);
  --live_->users;
  table_->drop_if_unused(*live_);
}

void Turn::release() {
  if (!pin_.holds()) return;
  const Pin pin = std::move(pin_);
  // The turn is handed over, so that no other caller can come between.
  CONCERTO_ASSERT(pin->turn.is_taken);
  if (pin->turn.freed.has_waiters()) {
    pin->turn.freed.notify_one();
  } else {
    pin->turn.is_taken = false;
  }
}

Pin LiveTable::pin(const Gid& gid) {
  if (LiveTrans* live = find(gid)) return Pin(*this, *live);
  auto live = std::make_unique<LiveTrans>(gid, executor_);
  const std::string_view key = live->gid.view();
  LiveTrans& added = *table_.emplace(key, std::move(live)).first->second;
  count_.store(table_.size(), std::memory_order_relaxed);
  return Pin(*this, added);
}

LiveTrans* LiveTable::find(const Gid& gid) const {
  const auto found = table_.find(gid.view());
  return found == table_.end() ? nullptr : found->second.get();
}

Task<Turn> LiveTable::take_turn(Pin pin) {
  // A cancelled wait goes on: what has begun is carried on until it is stored.
  while (pin->turn.is_taken) {
    const bool handed_over = co_await pin->turn.freed.wait();
    if (!handed_over) continue;
    CONCERTO_ASSERT(pin->turn.is_taken);
    co_return Turn(std::move(pin));
  }
  pin->turn.is_taken = true;
  co_return Turn(std::move(pin));
}

Turn LiveTable::turn_if_free(const Pin& pin) {
  if (std::exchange(pin->turn.is_taken, true)) return {};
  return Turn(pin);
}

void LiveTable::count_bytes(LiveTrans& live) {
  const std::size_t before = live.bytes;
  CONCERTO_ASSERT(bytes() >= before);
  live.bytes = sizeof(LiveTrans);
  for (const std::string& payload : live.trans.payloads) live.bytes += payload.size();
  bytes_.store(bytes() - before + live.bytes, std::memory_order_relaxed);
}

void LiveTable::drop_if_unused(LiveTrans& live) {
  if (live.users > 0 || live.is_driven()) return;
  // It comes here again without either.
  if (live.has_lease() || live.others_until != SteadyTime{}) return let_go_(live);
  CONCERTO_ASSERT(bytes() >= live.bytes);
  bytes_.store(bytes() - live.bytes, std::memory_order_relaxed);
  const auto found = table_.find(live.gid.view());
  CONCERTO_ASSERT(found != table_.end());
  const std::unique_ptr<LiveTrans> gone = std::move(found->second);
  table_.erase(found);
  count_.store(table_.size(), std::memory_order_relaxed);
  leave_(*gone);
}

}  // namespace concerto
