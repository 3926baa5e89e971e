#include "target_slots.hpp"

#include <utility>

#include <concerto/core/assert.hpp>

namespace concerto {

bool TargetSlots::take(std::string_view target, Alarms::Due due) {
  auto& entry = *targets_.try_emplace(std::string(target)).first;
  if (entry.second.taken < per_target_max_ && entry.second.waiting == 0) {
    ++entry.second.taken;
    return true;
  }
  if (const auto found = waiting_.find(due.gid); found != waiting_.end()) {
    found->second.due->timeout |= due.timeout;
    return false;
  }
  Alarms::Due& last = entry.second.line.emplace_back(std::move(due));
  ++entry.second.waiting;
  waiting_.emplace(last.gid, Waiting{&entry, &last});
  return false;
}

std::optional<Alarms::Due> TargetSlots::give_back(std::string_view target) {
  const auto found = targets_.find(std::string(target));
  CONCERTO_ASSERT(found != targets_.end() && found->second.taken > 0);
  Target& entry = found->second;
  // The bound may have become smaller.
  if (entry.taken <= per_target_max_) {
    if (auto next = next_in_line(entry)) return next;
  }
  if (--entry.taken == 0) targets_.erase(found);
  return std::nullopt;
}

std::optional<Alarms::Due> TargetSlots::next_in_line(Target& target) {
  while (!target.line.empty()) {
    Alarms::Due next = std::move(target.line.front());
    target.line.pop_front();
    if (next.gid.empty()) continue;
    waiting_.erase(next.gid);
    --target.waiting;
    return next;
  }
  return std::nullopt;
}

std::vector<TargetSlots::Admitted> TargetSlots::set_max(std::size_t per_target_max) {
  per_target_max_ = per_target_max;
  std::vector<Admitted> admitted;
  for (auto& [name, target] : targets_) {
    while (target.taken < per_target_max_) {
      auto next = next_in_line(target);
      if (!next) break;
      ++target.taken;
      admitted.push_back({std::move(*next), name});
    }
  }
  return admitted;
}

void TargetSlots::forget(const Gid& gid) {
  if (waiting_.empty()) return;
  const auto found = waiting_.find(gid);
  if (found == waiting_.end()) return;
  found->second.due->gid = Gid{};
  --found->second.target->second.waiting;
  waiting_.erase(found);
}

std::string_view TargetSlots::waits_for(const Gid& gid) const {
  const auto found = waiting_.find(gid);
  return found == waiting_.end() ? std::string_view{}
                                 : std::string_view(found->second.target->first);
}

}  // namespace concerto
