// What operators are told of damaged records.

#include <limits>
#include <map>
#include <utility>

#include <concerto/engine/coordinator.hpp>

#include "on_engine.hpp"

namespace concerto {

Task<void> Engine::add_damage(std::map<std::string, DamagedRecord>& by_name) {
  for (const auto& [gid, why] : loader_.damaged()) {
    by_name.insert_or_assign(gid.str(), DamagedRecord{true, gid.str(), why});
  }
  co_return;
}

std::size_t Coordinator::damaged_count() const {
  return store_.damage(0).total + in_flight().damaged;
}

Task<DamageReport> Coordinator::damage(std::size_t max, std::string after) {
  const Use use(*engines_.front());
  // What both know is there once. A coordinator knows few, so that all are sorted.
  DamageReport of_store = store_.damage(std::numeric_limits<std::size_t>::max());
  std::map<std::string, DamagedRecord> by_name;
  for (DamagedRecord& record : of_store.records) {
    std::string name = record.name;
    by_name.insert_or_assign(std::move(name), std::move(record));
  }
  for (auto& engine : engines_) co_await on_engine(*engine, engine->add_damage(by_name));
  DamageReport report;
  report.total = by_name.size();
  auto next = after.empty() ? by_name.begin() : by_name.upper_bound(after);
  for (; next != by_name.end() && report.records.size() < max; ++next) {
    report.records.push_back(std::move(next->second));
  }
  report.is_complete = next == by_name.end();
  co_return report;
}

}  // namespace concerto
