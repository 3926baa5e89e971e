#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator_world.hpp"
#include "shared_store.hpp"

namespace concerto::test {

/// A coordinator on a shared store, with its own clock and its own connection to the store. A
/// paused one does not run: its timers are not called, and nothing that is posted to it happens.
struct SharedNode {
  /// `wall_ahead`: how far its wall clock is ahead of `time`.
  SharedNode(SharedWorld& shared, const FakeClock& time, const std::string& name,
             BranchCaller& branches, const CoordinatorOptions& options,
             std::chrono::nanoseconds wall_ahead = {})
      : clock(time),
        store(shared, clock, "cc-" + name),
        world(std::make_unique<CoordinatorWorld>(store, clock, branches, options)) {
    clock.step_wall(wall_ahead);
  }

  Coordinator& coordinator() { return world->coordinator(); }
  bool runs() const noexcept { return world != nullptr && !is_paused; }

  FakeClock clock;
  SharedStore store;
  std::unique_ptr<CoordinatorWorld> world;  ///< null after a kill
  bool is_paused = false;
};

/// Moves time forward for `clock` and all nodes, timer by timer.
inline void advance_all(FakeClock& clock, const std::vector<SharedNode*>& nodes,
                        std::chrono::nanoseconds by) {
  const SteadyTime end = clock.steady_now() + by;
  const auto move_to = [&](SteadyTime time) {
    const auto step = std::max(time - clock.steady_now(), SteadyTime::duration{});
    clock.advance(step);
    for (SharedNode* node : nodes) node->clock.advance(step);
  };
  const auto run_all = [&nodes] {
    for (SharedNode* node : nodes) {
      if (node->runs()) node->world->run_due();
    }
  };
  for (;;) {
    run_all();
    SteadyTime next = SteadyTime::max();
    for (const SharedNode* node : nodes) {
      if (node->runs()) next = std::min(next, node->world->earliest_timer());
    }
    if (next > end) break;
    move_to(next);
  }
  move_to(end);
  run_all();
}

}  // namespace concerto::test
