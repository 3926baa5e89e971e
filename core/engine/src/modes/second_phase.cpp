#include "modes/second_phase.hpp"

namespace concerto {

Result<> register_for_second_phase(const SecondPhase& phase, const BranchRequest& request,
                                   std::vector<Branch>& rows) {
  for (const std::string_view op : {phase.backward, phase.forward}) {
    const std::string_view url_field = phase.url_field.empty() ? op : phase.url_field;
    CONCERTO_CHECK(add_registered_row(request, op, url_field, rows));
  }
  return ok();
}

Next next_of_second_phase(const SecondPhase& phase, const TransView& view) {
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
