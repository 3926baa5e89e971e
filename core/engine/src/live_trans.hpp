#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

#include "live_trace.hpp"
#include "pass.hpp"

namespace concerto {

/// The state behind `Turn`.
struct TurnLock {
  explicit TurnLock(const Executor& executor) : freed(executor) {}

  bool is_taken = false;
  Notifier freed;
};

/// A transaction in memory, because a pass runs or a request uses it. Lives on one shard.
///
/// Durable changes are made one at a time, by whoever has the turn. Between them the driver and its
/// calls use the transaction.
struct LiveTrans
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  LiveTrans(Gid id, const Executor& executor)
      : gid(std::move(id)), turn(executor), progressed(executor), pass_ended(executor) {}

  enum class Knowledge : std::uint8_t {
    none,     ///< the store has to be asked
    absent,   ///< the store has no such transaction
    present,  ///< `trans` is what the store has, plus `unsaved`
    others,   ///< `trans` is what the store had; another coordinator works on it
  };

  /// What the driver of the transaction does. Without a driver and without pins the transaction
  /// leaves memory.
  enum class State : std::uint8_t {
    idle,       ///< there is no driver; only requests touch the transaction
    woken,      ///< a pass has begun; it ends if the transaction is queued for a slot
    driving,    ///< a pass goes on until the transaction waits or ends
    repeating,  ///< as driving; another pass follows at once
  };

  const Gid gid;
  Knowledge knowledge = Knowledge::none;
  /// If several coordinators share the store: until when the transaction is this coordinator's.
  /// SteadyTime{}: it is not this coordinator's, or it is finished.
  SteadyTime lease_end{};
  /// Until when another coordinator may make calls from which the transaction was taken. After a
  /// change of status its calls do not matter: they have other ops.
  SteadyTime others_until{};
  Transaction trans;
  CustomData custom;
  const Mode* mode = nullptr;  ///< set when present
  std::size_t bytes = 0;       ///< what LiveTable::bytes counts for it
  bool counted = false;        ///< the Loader counts it as unfinished
  bool timed_out = false;      ///< the timeout that counts in this status is over
  bool delay_over = false;     ///< the delay that its mode asked for is over

  /// Results of calls that are in `trans` and not yet in the store. The hook of this class links
  /// the transactions with such results into a list of `Changes`.
  std::vector<BranchChange> unsaved;
  bool retry_count_unsaved = false;

  CallStates calls;
  Pass pass;
  std::unique_ptr<LiveTrace> trace;  ///< null: no trace of it is recorded
  std::string failure_text;          ///< what the failed action answered, as long as it is known

  TurnLock turn;
  Notifier progressed;  ///< a call or a pause ended, or the status changed
  Notifier pass_ended;
  std::uint64_t passes = 0;     ///< how many passes have ended
  Result<> pass_result = ok();  ///< the result of the last pass, for its waiters

  std::uint32_t users = 0;  ///< the number of pins

  State state() const noexcept { return state_; }
  bool is_driven() const noexcept { return state_ != State::idle; }
  bool has_lease() const noexcept { return lease_end != SteadyTime{}; }

  static constexpr bool may_follow(State from, State to) noexcept {
    switch (to) {
      case State::idle:
        return from != State::idle;
      case State::woken:
        return from == State::idle;
      case State::driving:  // After `repeating` the pass that was asked for begins.
        return from != State::driving;
      case State::repeating:
        return from == State::woken || from == State::driving;
    }
    return false;
  }

  /// Changes the state. Precondition: `next` may follow the present one.
  void enter(State next) noexcept {
    CONCERTO_ASSERT(may_follow(state_, next));
    state_ = next;
  }

  void forget_unsaved() {
    unsaved.clear();
    retry_count_unsaved = false;
    if (is_linked()) unlink();
  }
  bool has_unsaved() const noexcept { return !unsaved.empty() || retry_count_unsaved; }

  /// What the decisions of the mode depend on. `timeout` is the one in force.
  TransView view(std::chrono::seconds timeout) const {
    return TransView{trans,
                     custom,
                     calls.runs,
                     calls.query,
                     pass.query_outcome,
                     timed_out,
                     delay_over,
                     pass.retries_exhausted,
                     timeout,
                     failure_text};
  }

  /// Forgets what the last pass tried and found, so that the next pass may call again.
  void forget_results() {
    calls.restart(trans.branches.size());
    if (calls.query != RunState::running) calls.query = RunState::idle;
    pass.forget_results();
  }

 private:
  State state_ = State::idle;
};

}  // namespace concerto
