#include "shared_rounds.hpp"

#include <utility>
#include <vector>

#include "reset_rounds.hpp"

namespace concerto {
namespace {

const std::string rounds_category = "concerto-reset";
/// Another request may change the record at the same time.
constexpr int round_attempts_max = 4;

/// Also if the clock has jumped back.
bool is_over(WallTime last, WallTime now) {
  return now - last > ResetRounds::gap_max || last - now > ResetRounds::gap_max;
}

bool round_was_overtaken(const Result<>& change) {
  return !change && (change.error().code == EngineErrc::key_exists ||
                     change.error().code == EngineErrc::key_not_found);
}

}  // namespace

Task<WallTime> SharedRounds::join(std::chrono::seconds beyond) {
  const Result<WallTime> began = co_await join_stored(std::to_string(beyond.count()));
  co_return began ? *began : join_own(beyond);
}

Async<WallTime> SharedRounds::join_stored(std::string key) {
  Result<> changed = ok();
  for (int attempt = 0; attempt < round_attempts_max; ++attempt) {
    CONCERTO_CO_TRY(std::vector<KvRecord> found, co_await store_.find_kv(rounds_category, key));
    const WallTime now = clock_.wall_now();
    KvRecord record;
    if (!found.empty()) record = std::move(found.front());
    const bool goes_on = !found.empty() && !is_over(record.update_time, now);
    if (!found.empty() && !goes_on) {
      const Result<> removed = co_await store_.delete_kv(rounds_category, key);
      if (!removed && !round_was_overtaken(removed)) co_return removed.error();
      record = KvRecord();
    }
    record.update_time = now;
    const WallTime began = goes_on ? record.create_time : now;
    if (goes_on) {
      changed = co_await store_.update_kv(std::move(record));
    } else {
      record.cat = rounds_category;
      record.key = key;
      record.value = "resetCronTime";
      record.create_time = now;
      changed = co_await store_.create_kv(std::move(record));
    }
    if (changed) co_return began;
    if (!round_was_overtaken(changed)) break;
  }
  co_return changed.error();
}

WallTime SharedRounds::join_own(std::chrono::seconds beyond) {
  const WallTime now = clock_.wall_now();
  const MutexLock lock(mutex_);
  std::erase_if(own_, [now](const auto& each) { return is_over(each.second.last, now); });
  Round& round = own_.try_emplace(beyond, Round{now, now}).first->second;
  round.last = now;
  return round.began;
}

Async<> SharedRounds::end(std::chrono::seconds beyond) {
  {
    const MutexLock lock(mutex_);
    own_.erase(beyond);
  }
  co_return co_await store_.delete_kv(rounds_category, std::to_string(beyond.count()));
}

}  // namespace concerto
