#pragma once

#include <algorithm>
#include <chrono>
#include <memory>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/store.hpp>

#include "guarded_observer.hpp"
#include "pauses.hpp"

namespace concerto {

/// What the parts of a shard's engine share: the ports, the options, and whether a stop has begun.
struct ShardEnv {
  ShardPorts ports;
  Store& store;
  const Clock& clock;
  CoordinatorOptions options;  ///< the limits may change
  const ModeTable& modes;
  /// Null: every transaction in the store is this coordinator's.
  Ownership* const ownership = store.ownership();
  GuardedObserver observer{ports.observer};
  std::shared_ptr<const PauseList> pauses = nullptr;  ///< null: none were read yet
  bool paused = false;    ///< since the start: no transaction is woken, and no call begins
  bool stopping = false;  ///< no request is taken and no call begins any more

  SteadyTime now() const noexcept { return ports.timers.now(); }

  /// The pause that holds up the calls of `next`, null if there is none.
  const Pause* pause_of(const Transaction& trans, const Mode& mode, const Next& next) const {
    if (pauses == nullptr || pauses->empty()) return nullptr;
    return concerto::pause_of(*pauses, trans, mode, next);
  }

  /// The timeout in force for a transaction, zero without one.
  std::chrono::seconds timeout_of(std::chrono::seconds own, const Mode& mode) const noexcept {
    if (own.count() > 0) return own;
    return mode.has_default_timeout ? options.timeout_to_fail : std::chrono::seconds::zero();
  }
};

inline Error shutting_down() {
  return make_error(Errc::shutting_down, "the coordinator is shutting down");
}

inline Error no_owners() {
  return make_error(Errc::invalid_request,
                    "owner: transactions have owners only in a store that several coordinators can "
                    "share, and this one is this coordinator's own");
}

/// The wall time from one moment to another; zero if the clock went back.
inline std::chrono::nanoseconds elapsed(WallTime from, WallTime to) {
  return std::max<std::chrono::nanoseconds>(to - from, std::chrono::nanoseconds::zero());
}

/// What is left of a timeout that began at `from`, zero if it is over.
inline std::chrono::nanoseconds time_left(std::chrono::seconds timeout, WallTime from,
                                          WallTime now) {
  const std::chrono::nanoseconds left = timeout - elapsed(from, now);
  return std::max(left, std::chrono::nanoseconds::zero());
}

}  // namespace concerto
