#include "redis_store.hpp"
#include "redis_upkeep.hpp"

/// Health and numbers of the RedisStore.
namespace concerto::persist {

StoreHealth RedisStore::health() const {
  using State = StoreHealth::State;
  StoreHealth health;
  for (const auto& lane : lanes_) {
    if (const auto why = lane->away()) {
      health.add(State::recovering, "Redis is away: " + *why);
      break;
    }
  }
  if (memory_.is_full()) {
    health.add(State::refusing, "Redis has no memory for new transactions (maxmemory)");
  }
  health.warnings = upkeep_->warnings();
  return health;
}

StoreNumbers RedisStore::numbers() const {
  using Kind = StoreNumber::Kind;
  StoreNumbers found;
  const auto add = [&found](std::string_view name, std::string_view help, Kind kind,
                            std::uint64_t value) {
    found.numbers.push_back({name, help, kind, static_cast<double>(value)});
  };
  add("queue_depth", "Commands that wait to be sent", Kind::gauge, probe_.queued_changes);
  add("queue_bytes", "Bytes that wait to be sent", Kind::gauge, probe_.queued_bytes);
  add("groups_total", "Groups of commands, each sent in one write", Kind::counter, probe_.groups);
  add("changes_total", "Changes made", Kind::counter, probe_.changes);
  add("bytes_total", "Bytes sent", Kind::counter, probe_.bytes);
  add("refused_total", "New transactions without room", Kind::counter, probe_.refused);
  add("group_nanoseconds_total", "Time from the sending of groups to their last answers",
      Kind::counter, probe_.sync_ns);
  return found;
}

}  // namespace concerto::persist
