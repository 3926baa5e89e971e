#include "target_slots.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto {

bool TargetSlots::has_room(const Target& target) const noexcept {
  return target.taken < std::min(target.limit, per_target_max_);
}

bool TargetSlots::take(std::string_view target, Alarms::Wake wake) {
  auto& entry = *targets_.try_emplace(std::string(target)).first;
  Target& state = entry.second;
  if (take_free(state)) return true;
  CONCERTO_ASSERT(!queued_.contains(wake.gid));
  Alarms::Wake& last = state.queue.emplace_back(std::move(wake));
  ++state.queued;
  queued_.emplace(last.gid, Queued{&entry, &last});
  return false;
}

bool TargetSlots::take_free(std::string_view target) {
  return take_free(targets_.try_emplace(std::string(target)).first->second);
}

/// A transaction overtakes no queue, except when no slot is taken: then no slot will be given back,
/// and the queue would wait for ever.
bool TargetSlots::take_free(Target& target) const noexcept {
  const bool is_free = target.taken == 0 || (has_room(target) && target.queued == 0);
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
  if (use == Use::answered) state.limit = std::min(state.limit + 1, per_target_max_);
  if (use == Use::failed) state.limit = std::max(state.limit - 1, first_limit);
  --state.taken;
  Admitted admitted;
  admit(state, admitted);
  if (state.taken == 0) targets_.erase(found);
  return admitted;
}

void TargetSlots::admit(Target& target, Admitted& admitted) {
  while (target.queued > 0 && (has_room(target) || target.taken == 0)) {
    CONCERTO_ASSERT(!target.queue.empty());
    Alarms::Wake next = std::move(target.queue.front());
    target.queue.pop_front();
    if (next.gid.empty()) continue;
    queued_.erase(next.gid);
    --target.queued;
    ++target.taken;
    admitted.push_back(std::move(next));
  }
}

std::optional<Alarms::Wake> TargetSlots::forget(const Gid& gid) {
  if (queued_.empty()) return std::nullopt;
  const auto found = queued_.find(gid);
  if (found == queued_.end()) return std::nullopt;
  CONCERTO_ASSERT(found->second.wake->gid == gid && found->second.target->second.queued > 0);
  std::optional<Alarms::Wake> wake(std::move(*found->second.wake));
  found->second.wake->gid = Gid{};
  --found->second.target->second.queued;
  queued_.erase(found);
  return wake;
}

std::string_view TargetSlots::queued_at(const Gid& gid) const {
  const auto found = queued_.find(gid);
  return found == queued_.end() ? std::string_view{}
                                : std::string_view(found->second.target->first);
}

std::size_t TargetSlots::limit(std::string_view target) const {
  const auto found = targets_.find(std::string(target));
  const std::size_t own = found == targets_.end() ? first_limit : found->second.limit;
  return std::min(own, per_target_max_);
}

}  // namespace concerto
