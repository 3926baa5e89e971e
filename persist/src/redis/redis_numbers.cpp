#include "redis_store.hpp"
#include "redis_upkeep.hpp"

/// Health and numbers of the RedisStore.
namespace concerto::persist {

StoreHealth RedisStore::health() const {
  StoreHealth health;
  standing_.add_to(health);
  health.warnings = upkeep_->warnings();
  if (schedule_is_damaged_) {
    health.add(StoreHealth::State::recovering,
               "the schedule of Redis is damaged, so no transaction goes on: see the log");
  }
  return health;
}

StoreNumbers RedisStore::numbers() const {
  using Kind = StoreNumber::Kind;
  StoreNumbers found;
  const auto add = [&found](std::string_view name, std::string_view help, Kind kind,
                            std::uint64_t value) {
    found.numbers.push_back({name, help, kind, static_cast<double>(value)});
  };
  add("queued_changes", "Commands that wait to be sent", Kind::gauge, probe_.queued_changes);
  add("queued_bytes", "Bytes that wait to be sent", Kind::gauge, probe_.queued_bytes);
  add("groups_total", "Groups of commands, each sent in one write", Kind::counter, probe_.groups);
  add("changes_total", "Changes made", Kind::counter, probe_.changes);
  add("bytes_total", "Bytes sent", Kind::counter, probe_.bytes);
  add("refused_total", "New transactions without room", Kind::counter, probe_.refused);
  const auto refused = [&](std::string_view name, std::string_view help,
                           std::initializer_list<RedisTrouble> troubles) {
    std::uint64_t sum = 0;
    for (const RedisTrouble trouble : troubles) sum += standing_.refused(trouble);
    add(name, help, Kind::counter, sum);
  };
  using enum RedisTrouble;
  refused("refused_by_memory_total", "Changes that Redis refused: its memory is full (OOM)",
          {full});
  refused("refused_by_disk_total", "Changes that Redis refused: it cannot save its data (MISCONF)",
          {no_disk});
  refused("refused_by_replicas_total",
          "Changes that Redis refused: too few replicas are connected (NOREPLICAS)", {no_replicas});
  refused("refused_by_role_total", "Changes that another server has to make (READONLY, MOVED)",
          {elsewhere});
  refused("refused_by_rights_total", "Changes that the user may not make (NOPERM, NOAUTH)",
          {no_right, no_entry});
  refused("refused_by_state_total",
          "Changes that Redis refused for the moment (LOADING, BUSY, CLUSTERDOWN, TRYAGAIN)",
          {not_now});
  add("damaged_records", "Damaged records that this process has met and not read since",
      Kind::gauge, damaged_.count());
  add("group_nanoseconds_total", "Time from the sending of groups to their last answers",
      Kind::counter, probe_.sync_ns);
  return found;
}

}  // namespace concerto::persist
