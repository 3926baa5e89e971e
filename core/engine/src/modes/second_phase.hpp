#pragma once

#include <span>
#include <string_view>

#include <concerto/engine/mode.hpp>

namespace concerto {

/// What differs between tcc and xa, the modes that work in two phases. In the first phase, while
/// the transaction is prepared, branches are registered. In the second phase one op of each branch
/// is called, one after the other, and each until it succeeds (protocol page 05, sections 5 and 6).
struct SecondPhase {
  TransType type;
  std::string_view name;
  std::span<const std::string_view> ops;
  std::string_view forward;                  ///< the op of a submitted transaction
  std::string_view backward;                 ///< the op of an aborting transaction
  std::span<const std::string_view> fields;  ///< of a registration
  std::string_view url_field;  ///< the field with the URL of both ops; empty: each op has its own
  bool newest_first;           ///< whether the newest branch is called first
  bool sends_empty_payload;
};

Result<> register_for_second_phase(const SecondPhase& phase, const BranchRequest& request,
                                   std::vector<Branch>& rows);

Next next_of_second_phase(const SecondPhase& phase, const TransView& view);

/// Only a success ends the calls of a row.
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
      .registered_fields = phase.fields,
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
