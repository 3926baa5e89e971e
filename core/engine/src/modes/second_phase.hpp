#pragma once

#include <string_view>

#include "mode.hpp"

namespace concerto {

/// The second phase that tcc and xa share: participants registered their branches while the
/// transaction was prepared; now one operation of each branch is called, one after the other,
/// for ever until all have succeeded (protocol page 05, sections 5 and 6).
struct SecondPhase {
  std::string_view forward;   ///< operation of a submitted transaction
  std::string_view backward;  ///< of an aborting one
  bool newest_first;          ///< in which order the branches are called
};

Next next_of_second_phase(const TransView& view, const SecondPhase& phase);

/// Nothing but a success ends a call of the second phase.
Effect effect_in_second_phase(const Transaction& trans, const Branch& branch, Outcome outcome);

}  // namespace concerto
