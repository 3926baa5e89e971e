#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator_world.hpp"
#include "shared_store.hpp"

namespace concerto::test {

/// A coordinator on a shared store, with its own connection to the store. A paused one does not
/// run: its timers are not called, and nothing that is posted to it happens.
struct SharedNode {
  SharedNode(SharedWorld& shared, FakeClock& clock, const std::string& name, BranchCaller& branches,
             const CoordinatorOptions& options)
      : store(shared, clock, "cc-" + name),
        world(std::make_unique<CoordinatorWorld>(store, clock, branches, options)) {}

  Coordinator& coordinator() { return world->coordinator(); }
  bool runs() const noexcept { return world != nullptr && !is_paused; }

  SharedStore store;
  std::unique_ptr<CoordinatorWorld> world;  ///< null after a kill
  bool is_paused = false;
};

/// Moves time forward for all nodes, timer by timer.
inline void advance_all(FakeClock& clock, const std::vector<SharedNode*>& nodes,
                        std::chrono::nanoseconds by) {
  const SteadyTime end = clock.steady_now() + by;
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
    clock.advance(std::max(next - clock.steady_now(), SteadyTime::duration{}));
  }
  clock.advance(end - clock.steady_now());
  run_all();
}

}  // namespace concerto::test
