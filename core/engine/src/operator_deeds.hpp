#pragma once

#include <string>
#include <string_view>

#include <concerto/engine/caller_id.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

// What is told of an operator's deed where it shows later: who did it, and why.

/// The rollback_reason of a transaction that is stopped: who stopped it, in which status and at
/// which URL it was, the reason of who did it, and the rollback_reason that it had.
std::string stop_reason(const Transaction& before, const ModeTable& modes, CallerId caller,
                        std::string_view reason);

/// The answer that the journal has for a row that was skipped.
std::string skip_answer(CallerId caller, std::string_view reason);

}  // namespace concerto
