#pragma once

#include <span>
#include <string_view>

#include <concerto/engine/mode.hpp>

namespace concerto {

/// What differs between the modes that work in two phases, tcc and xa: participants register their
/// branches while the transaction is prepared (the first phase); then one op of each branch is
/// called, one after the other, for ever until all have succeeded (protocol page 05, sections 5
/// and 6).
struct SecondPhase {
  TransType type;
  std::string_view name;
  std::span<const std::string_view> ops;
  std::string_view forward;    ///< op of a submitted transaction
  std::string_view backward;   ///< of an aborting one
  std::string_view url_field;  ///< of both ops; empty: each has a field of its own name
  bool newest_first;           ///< in which order the branches are called
  bool sends_empty_payload;
};

Result<> register_for_second_phase(const SecondPhase& phase, const BranchRequest& request,
                                   std::vector<Branch>& rows);

Next next_of_second_phase(const SecondPhase& phase, const TransView& view);

/// Nothing but a success ends a call of the second phase.
Effect effect_in_second_phase(const Transaction& trans, const Branch& branch, Outcome outcome);

/// The mode that `phase` describes. A mode's functions have no state, so the phase is a template
/// parameter.
template <const SecondPhase& phase>
constexpr Mode second_phase_mode() {
  return {
      .type = phase.type,
      .name = phase.name,
      .ops = phase.ops,
      .register_branch =
          [](const BranchRequest& request, std::vector<Branch>& rows) {
            return register_for_second_phase(phase, request, rows);
          },
      .registered_url_field = phase.url_field,
      .next = [](const TransView& view) { return next_of_second_phase(phase, view); },
      .effect = effect_in_second_phase,
      .times_out_in = TransStatus::prepared,
      .has_default_timeout = true,
      .sends_empty_payload = phase.sends_empty_payload,
      .reports = Reports::errors_and_ongoing,
      .aborts_to = TransStatus::aborting,
  };
}

}  // namespace concerto
