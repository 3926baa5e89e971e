#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include <concerto/base/notifier.hpp>
#include <concerto/engine/transaction.hpp>

#include "alarms.hpp"
#include "mode.hpp"
#include "retry.hpp"

namespace concerto {

/// A transaction in memory: being processed, or touched by a request. Lives on one shard.
///
/// Its durable changes are made one at a time by whoever has the turn; who waits for the turn gets
/// it in order. Between them the driver and its branch calls work on it.
struct LiveTrans
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  LiveTrans(Gid id, const Executor& executor)
      : gid(std::move(id)), turn_freed(executor), progressed(executor), pass_ended(executor) {}

  enum class Knowledge : std::uint8_t {
    none,     ///< the store was not asked
    absent,   ///< the store has no such transaction
    present,  ///< `trans` is what the store has, plus `unsaved`
  };

  const Gid gid;
  Knowledge knowledge = Knowledge::none;
  Transaction trans;
  CustomData custom;
  const Mode* mode = nullptr;  ///< set when present
  std::size_t bytes = 0;       ///< counted in the engine's bytes in memory
  bool counted = false;        ///< among the engine's unfinished ones

  /// Results of calls that are in `trans` and not in the store. The hook links the transaction
  /// into the engine's list of those with any.
  std::vector<BranchChange> unsaved;
  bool retry_count_unsaved = false;

  // The current pass.
  std::vector<RunState> runs;
  RunState query = RunState::idle;
  std::optional<Outcome> query_outcome;
  std::uint32_t calls_running = 0;
  std::uint32_t pauses_running = 0;
  bool retries_exhausted = false;
  bool delay_over = false;
  bool any_success = false;
  std::optional<Rest> rest;  ///< the longest one that a result of this pass asks for
  Outcome worst = Outcome::success;
  Error worst_error;
  std::string worst_text;  ///< what a log says of it; empty where worst_error says it
  std::optional<std::uint32_t> worst_branch;  ///< absent when the call went to the initiator
  std::string worst_url;                      ///< masked; empty when the call went to the initiator
  std::string worst_target;                   ///< what the call went to, as it is called
  std::string failure_text;

  /// In a pass of a woken transaction that has called nobody yet: what woke it.
  std::optional<Alarms::Due> woken_by;
  std::string slot;            ///< the target at which it holds a slot, empty if at none
  bool slot_answered = false;  ///< that target has answered a call of this pass

  /// Why the current pass began.
  enum class Begun : std::uint8_t {
    in_turn,    ///< its time had come
    asked_for,  ///< a request wants it tried now: pauses begin anew
    probing,    ///< for all that wait for a target; its own pauses are not longer for it
    answered,   ///< a target answers again; its own pauses are not longer for it
  };
  Begun begun = Begun::in_turn;

  bool timed_out = false;
  bool again = false;    ///< start another pass instead of resting
  bool driving = false;  ///< a driver task exists

  bool turn_taken = false;
  Notifier turn_freed;
  Notifier progressed;  ///< a call or a pause ended, or the status changed
  Notifier pass_ended;
  std::uint64_t passes = 0;     ///< ended passes
  Result<> pass_result = ok();  ///< of the last one, for those who wait

  std::uint32_t users = 0;  ///< pins; without any, and without a driver, it leaves memory

  bool has_unsaved() const noexcept { return !unsaved.empty() || retry_count_unsaved; }

  /// What the mode decides from. `timeout` is the one in force.
  TransView view(std::chrono::seconds timeout) const {
    return TransView{trans,         custom,      runs,       query,
                     query_outcome, timed_out,   delay_over, retries_exhausted,
                     timeout,       failure_text};
  }

  /// Forgets what the last pass tried, so that the next one may try it again.
  void begin_pass() {
    restart_runs();
    if (query != RunState::running) query = RunState::idle;
    query_outcome.reset();
    any_success = false;
    rest.reset();
    worst = Outcome::success;
    worst_error = {};
  }

  /// After a change of status everything may be called again; what runs still runs.
  void restart_runs() {
    runs.resize(trans.branches.size(), RunState::idle);
    for (RunState& run : runs) {
      if (run != RunState::running) run = RunState::idle;
    }
  }
};

}  // namespace concerto
