#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include <concerto/base/assert.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

#include "pass.hpp"

namespace concerto {

/// Whose turn it is to change a transaction. Turns are given in the order of asking.
struct TurnLock {
  explicit TurnLock(const Executor& executor) : freed(executor) {}

  bool is_taken = false;
  Notifier freed;
};

/// A transaction in memory: being processed, or touched by a request. Lives on one shard.
///
/// Its durable changes are made one at a time by whoever has the turn; who waits for the turn gets
/// it in order. Between them the driver and its branch calls work on it.
struct LiveTrans
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  LiveTrans(Gid id, const Executor& executor)
      : gid(std::move(id)), turn(executor), progressed(executor), pass_ended(executor) {}

  enum class Knowledge : std::uint8_t {
    none,     ///< the store was not asked
    absent,   ///< the store has no such transaction
    present,  ///< `trans` is what the store has, plus `unsaved`
  };

  /// What its driver does. Without a driver and without pins a transaction leaves memory.
  enum class State : std::uint8_t {
    idle,       ///< there is no driver; only requests touch the transaction
    woken,      ///< a pass has begun that may still end in the queue of a target
    driving,    ///< a pass goes on until the transaction waits or ends
    repeating,  ///< as driving, and another pass follows at once instead of waiting
  };

  const Gid gid;
  Knowledge knowledge = Knowledge::none;
  Transaction trans;
  CustomData custom;
  const Mode* mode = nullptr;  ///< set when present
  std::size_t bytes = 0;       ///< counted in the engine's bytes in memory
  bool counted = false;        ///< among the engine's unfinished ones
  bool timed_out = false;      ///< its time to fail in the current status has come
  bool delay_over = false;     ///< a delay of its mode has been waited for

  /// Results of calls that are in `trans` and not in the store. The hook links the transaction
  /// into the engine's list of those with any.
  std::vector<BranchChange> unsaved;
  bool retry_count_unsaved = false;

  CallStates calls;
  Pass pass;
  std::string failure_text;  ///< of the action that failed in this process

  TurnLock turn;
  Notifier progressed;  ///< a call or a pause ended, or the status changed
  Notifier pass_ended;
  std::uint64_t passes = 0;     ///< ended passes
  Result<> pass_result = ok();  ///< of the last one, for those who wait

  std::uint32_t users = 0;  ///< pins

  State state() const noexcept { return state_; }
  bool is_driven() const noexcept { return state_ != State::idle; }

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

  /// Moves on to another state, which must be one that may follow.
  void enter(State next) noexcept {
    CONCERTO_ASSERT(may_follow(state_, next));
    state_ = next;
  }

  bool has_unsaved() const noexcept { return !unsaved.empty() || retry_count_unsaved; }

  /// What the mode decides from. `timeout` is the one in force.
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

  /// Forgets what the last pass tried and found, so that the next one may try it again.
  void forget_results() {
    calls.restart(trans.branches.size());
    if (calls.query != RunState::running) calls.query = RunState::idle;
    pass.forget_results();
  }

 private:
  State state_ = State::idle;
};

}  // namespace concerto
