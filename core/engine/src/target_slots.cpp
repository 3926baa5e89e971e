#include "target_slots.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

bool TargetSlots::has_room(const Target& target) const noexcept {
  return target.taken < std::min(target.bound, per_target_max_);
}

bool TargetSlots::take(std::string_view target, Alarms::Wake wake) {
  auto& entry = *targets_.try_emplace(std::string(target)).first;
  Target& state = entry.second;
  if (take_free(state)) return true;
  CONCERTO_ASSERT(!waiting_.contains(wake.gid));
  Alarms::Wake& last = state.line.emplace_back(std::move(wake));
  ++state.waiting;
  waiting_.emplace(last.gid, Waiting{&entry, &last});
  return false;
}

bool TargetSlots::take_free(std::string_view target) {
  return take_free(targets_.try_emplace(std::string(target)).first->second);
}

/// Nobody overtakes the line, and without a taken slot nobody would come to look at it.
bool TargetSlots::take_free(Target& target) const noexcept {
  const bool is_free = target.taken == 0 || (has_room(target) && target.waiting == 0);
  if (is_free) ++target.taken;
  return is_free;
}

bool TargetSlots::has_taken(std::string_view target) const {
  return targets_.contains(std::string(target));
}

TargetSlots::Admitted TargetSlots::give_back(std::string_view target, Use use) {
  const auto found = targets_.find(std::string(target));
  CONCERTO_ASSERT(found != targets_.end() && found->second.taken > 0);
  Target& state = found->second;
  if (use == Use::answered) state.bound = std::min(state.bound + 1, per_target_max_);
  if (use == Use::failed) state.bound = std::max(state.bound - 1, first_bound);
  --state.taken;
  Admitted admitted;
  admit(state, admitted);
  if (state.taken == 0) targets_.erase(found);
  return admitted;
}

void TargetSlots::admit(Target& target, Admitted& admitted) {
  while (target.waiting > 0 && (has_room(target) || target.taken == 0)) {
    CONCERTO_ASSERT(!target.line.empty());
    Alarms::Wake next = std::move(target.line.front());
    target.line.pop_front();
    if (next.gid.empty()) continue;
    waiting_.erase(next.gid);
    --target.waiting;
    ++target.taken;
    admitted.push_back(std::move(next));
  }
}

std::optional<Alarms::Wake> TargetSlots::forget(const Gid& gid) {
  if (waiting_.empty()) return std::nullopt;
  const auto found = waiting_.find(gid);
  if (found == waiting_.end()) return std::nullopt;
  CONCERTO_ASSERT(found->second.wake->gid == gid && found->second.target->second.waiting > 0);
  std::optional<Alarms::Wake> wake(std::move(*found->second.wake));
  found->second.wake->gid = Gid{};
  --found->second.target->second.waiting;
  waiting_.erase(found);
  return wake;
}

std::string_view TargetSlots::waits_for(const Gid& gid) const {
  const auto found = waiting_.find(gid);
  return found == waiting_.end() ? std::string_view{}
                                 : std::string_view(found->second.target->first);
}

std::size_t TargetSlots::bound(std::string_view target) const {
  const auto found = targets_.find(std::string(target));
  const std::size_t own = found == targets_.end() ? first_bound : found->second.bound;
  return std::min(own, per_target_max_);
}

}  // namespace concerto
