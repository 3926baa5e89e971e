#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>

#include "alarms.hpp"
#include "retry.hpp"

namespace concerto {

/// The calls of a transaction in memory. A call may outlive the pass that began it.
struct CallStates {
  std::vector<RunState> runs;  ///< one for each row
  RunState query = RunState::idle;
  std::uint32_t running = 0;
  std::uint32_t pausing = 0;

  void begin(RunState& run) noexcept {
    CONCERTO_ASSERT(run != RunState::running);
    run = RunState::running;
    ++running;
  }
  /// The call behind `run` has ended; `next` is what that means for the pass.
  void end(RunState& run, RunState next) noexcept {
    CONCERTO_ASSERT(run == RunState::running && running > 0);
    run = next;
    --running;
  }
  void end_pause() noexcept {
    CONCERTO_ASSERT(pausing > 0);
    --pausing;
  }

  /// Lets each row be called again, also after a change of status. Calls that run go on.
  void restart(std::size_t branches) {
    runs.resize(branches, RunState::idle);
    for (RunState& run : runs) {
      if (run != RunState::running) run = RunState::idle;
    }
  }
};

/// A call that did not succeed.
struct Trouble {
  Outcome outcome = Outcome::error;
  Error error;
  std::string text;                     ///< the text for logs; empty if `error` has it
  std::optional<std::uint32_t> branch;  ///< absent when the call went to the application
  std::string url;                      ///< masked; empty when the call went to the application
  std::string target;                   ///< the target of the call, not masked
};

/// A pass over a transaction: why it began, what it holds and what it has found so far.
struct Pass {
  enum class Begun : std::uint8_t {
    on_time,    ///< the time of the transaction had come
    asked_for,  ///< a request asked for it: the intervals begin anew
    trial,      ///< on behalf of all that wait for a target; does not lengthen its own waiting
    answered,   ///< a target answers again; does not lengthen its own waiting
  };
  Begun begun = Begun::on_time;
  std::optional<Alarms::Wake> woken_by;  ///< what woke the transaction, while its state is `woken`

  std::string slot;            ///< the target at which the pass holds a slot, empty if at none
  bool slot_answered = false;  ///< that target has answered a call of this pass

  std::optional<Outcome> query_outcome;
  bool retries_exhausted = false;
  bool any_success = false;
  std::optional<IntervalKind> interval_kind;  ///< the longest one that a result asks for
  std::optional<Trouble> worst;
  bool is_held_up = false;  ///< a pause keeps it from its calls

  Outcome worst_outcome() const noexcept { return worst ? worst->outcome : Outcome::success; }
  bool met_error() const noexcept { return worst_outcome() == Outcome::error; }

  void forget_results() noexcept {
    query_outcome.reset();
    retries_exhausted = false;
    any_success = false;
    interval_kind.reset();
    worst.reset();
    is_held_up = false;
  }
};

}  // namespace concerto
