#pragma once

#include <chrono>
#include <map>
#include <string>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/engine/store.hpp>

namespace concerto {

/// The rounds of ResetRounds where several coordinators share a store: the requests of one round
/// may reach any of them. So a round is a record of the key-value part, of which the time of
/// creation says when the round began. What has changed since then was visited. There is a round
/// for each `beyond`. Thread-safe.
class SharedRounds {
 public:
  SharedRounds(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// When the round of a request began. A new round begins if the last one has ended, or had no
  /// request for longer than ResetRounds::gap_max. If the record cannot be written, the round is
  /// this coordinator's alone.
  Task<WallTime> join(std::chrono::seconds beyond);
  /// Ends a round: all its transactions were visited. After an error the round is over a minute
  /// later.
  Async<> end(std::chrono::seconds beyond);

 private:
  Async<WallTime> join_stored(std::string key);
  WallTime join_own(std::chrono::seconds beyond);

  struct Round {
    WallTime began{};
    WallTime last{};
  };

  Store& store_;
  const Clock& clock_;
  Mutex mutex_;
  /// What the store has no record of.
  std::map<std::chrono::seconds, Round> own_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto
