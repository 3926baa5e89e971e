// What operators are told of damaged records.

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include <concerto/engine/coordinator.hpp>

#include "on_engine.hpp"

namespace concerto {
namespace {

constexpr std::size_t all_of_store = std::numeric_limits<std::size_t>::max();

}  // namespace

/// What the store cannot read now cannot be used either: its reason is the newer one.
void Engine::add_damage(std::map<std::string, DamagedRecord>& by_name) const {
  for (auto& [gid, why] : loader_.damaged()) {
    by_name.try_emplace(gid.str(), DamagedRecord{true, gid.str(), why});
  }
}

/// What the store and the shards know. A record that both know is there once.
std::map<std::string, DamagedRecord> Coordinator::all_damage() const {
  std::map<std::string, DamagedRecord> by_name;
  for (DamagedRecord& record : store_.damage(all_of_store).records) {
    std::string name = record.name;
    by_name.insert_or_assign(std::move(name), std::move(record));
  }
  for (const auto& engine : engines_) engine->add_damage(by_name);
  return by_name;
}

std::size_t Coordinator::damaged_count() const {
  return all_damage().size();
}

std::size_t Coordinator::unreadable_count() const {
  const std::vector<DamagedRecord> records = store_.damage(all_of_store).records;
  return static_cast<std::size_t>(std::ranges::count_if(records, &DamagedRecord::is_trans));
}

Task<DamageReport> Coordinator::damage(std::size_t max, std::string after) {
  const Use use(*engines_.front());
  // A coordinator knows few, so that all are sorted.
  std::map<std::string, DamagedRecord> by_name = all_damage();
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
