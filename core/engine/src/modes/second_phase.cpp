#include "modes/second_phase.hpp"

namespace concerto {

Next next_of_second_phase(const TransView& view, const SecondPhase& phase) {
  Next next;
  const TransStatus status = view.trans.status;
  if (status == TransStatus::prepared) {
    if (view.timed_out) next.change = StatusChange{TransStatus::aborting, timeout_reason(view)};
    return next;
  }
  if (is_final(status)) return next;
  const bool forward = status == TransStatus::submitted;
  const std::string_view op = forward ? phase.forward : phase.backward;
  const auto& branches = view.trans.branches;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const std::size_t row = phase.newest_first ? branches.size() - 1 - i : i;
    if (branches[row].op != op || branches[row].status == BranchStatus::succeed) continue;
    if (view.runs[row] == RunState::idle) next.calls.push_back(static_cast<std::uint32_t>(row));
    return next;
  }
  next.change = StatusChange{forward ? TransStatus::succeed : TransStatus::failed, {}};
  return next;
}

Effect effect_in_second_phase(const Transaction&, const Branch&, Outcome outcome) {
  return outcome == Outcome::success ? Effect::succeed : Effect::retry_later;
}

}  // namespace concerto
