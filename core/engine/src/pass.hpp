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
  std::vector<RunState> runs;  ///< one per branch
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

  /// Each branch may be called again, after a change of status too; what runs still runs.
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
  std::string text;                     ///< what a log says of it; empty where `error` says it
  std::optional<std::uint32_t> branch;  ///< absent when the call went to the application
  std::string url;                      ///< masked; empty when the call went to the application
  std::string target;                   ///< what the call went to, as it is called
};

/// A pass over a transaction: why it began, what it holds and what it has found so far.
struct Pass {
  enum class Begun : std::uint8_t {
    in_turn,    ///< its time had come
    asked_for,  ///< a request wants it tried now: the intervals begin anew
    trial,      ///< for all that wait for a target; its own waiting is not longer for it
    answered,   ///< a target answers again; its own waiting is not longer for it
  };
  Begun begun = Begun::in_turn;
  std::optional<Alarms::Wake> woken_by;  ///< while the transaction is `woken`: what woke it

  std::string slot;            ///< the target at which the pass holds a slot, empty if at none
  bool slot_answered = false;  ///< that target has answered a call of this pass

  std::optional<Outcome> query_outcome;
  bool retries_exhausted = false;
  bool any_success = false;
  std::optional<IntervalKind> interval_kind;  ///< the longest that a result of the pass asks for
  std::optional<Trouble> worst;

  Outcome worst_outcome() const noexcept { return worst ? worst->outcome : Outcome::success; }
  bool met_error() const noexcept { return worst_outcome() == Outcome::error; }

  void forget_results() noexcept {
    query_outcome.reset();
    retries_exhausted = false;
    any_success = false;
    interval_kind.reset();
    worst.reset();
  }
};

}  // namespace concerto
