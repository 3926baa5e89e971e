#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "coordinator_world.hpp"
#include "scripted_store.hpp"
#include "sim_branches.hpp"

namespace concerto::test {

/// A coordinator on virtual time. As its seed says, the store stalls, branches fail and the process
/// is killed. A test adds the requests, and what must be true in the end.
class SimWorld {
 public:
  virtual ~SimWorld() = default;

  void run() {
    for (int step = 0; step < 120; ++step) {
      if (random_.chance(request_percent_)) {
        request();
      } else {
        disturb();
      }
      world_->run();
    }
    heal();
    check();
  }

 protected:
  enum class StoreKind : std::uint8_t {
    local,      ///< commits stall at times
    on_server,  ///< the store is also away for a while, and answers get lost
  };

  SimWorld(std::uint64_t seed, unsigned request_percent, StoreKind kind = StoreKind::local)
      : random_(seed), request_percent_(request_percent), kind_(kind) {
    options_.wakes_per_target_max = 1 + random_.below(3);
    start_world();
  }

  /// Makes one request of the test's kind.
  virtual void request() = 0;
  /// Called before a crash takes the answers that have not come, and at the end. An error may come
  /// after the promise was kept, so only success counts as an acknowledgement.
  virtual void note_acknowledged() = 0;
  virtual void check() = 0;

  Coordinator& coordinator() { return world_->coordinator(); }

  std::optional<Transaction> query(const Gid& gid) {
    const auto found = world_->start(coordinator().query(gid));
    return found->value().value();
  }

  static bool succeeded(const Pending<Result<>>& result) {
    return result->has_value() && (*result)->has_value();
  }

  SeededRandom random_;
  BranchLedger ledger_;

 private:
  void disturb() {
    using std::chrono::milliseconds;
    if (kind_ == StoreKind::on_server && random_.chance(20)) return disturb_store();
    switch (random_.below(10)) {
      case 0:
        return store_.hold_commits();
      case 1:
        return store_.release_commits(random_.below(3));
      case 2:
        return store_.release_commits();
      case 3:
        return world_->advance(milliseconds(random_.below(30'000)));
      case 4:
        return world_->advance(milliseconds(random_.below(100)));
      case 5:
        if (random_.chance(25)) crash();
        return;
      default:
        return branches_->end_one();
    }
  }

  void disturb_store() {
    switch (random_.below(5)) {
      case 0:
        scripted_.busy_commits = random_.below(30);
        return;
      case 1:
        scripted_.busy_loads = random_.below(5);
        return;
      case 2:
        scripted_.busy_scans = random_.below(5);
        return;
      case 3:
        scripted_.lost_answers = random_.below(3);
        return;
      default:
        scripted_.lost_commits = random_.below(3);
    }
  }

  void crash() {
    note_acknowledged();
    CoordinatorWorld::crash(std::move(world_));
    store_.crash();
    branches_->crash();
    clock_.advance(std::chrono::milliseconds(random_.below(100'000)));
    start_world();
    world_->start(coordinator().recover());
  }

  void start_world() {
    old_branches().push_back(std::move(branches_));
    branches_ = std::make_unique<SimBranches>(ledger_, random_);
    world_ = std::make_unique<CoordinatorWorld>(scripted_, clock_, *branches_, options_);
  }

  /// The branches of crashed worlds, which still refer to them.
  static std::vector<std::unique_ptr<SimBranches>>& old_branches() {
    static auto* kept = new std::vector<std::unique_ptr<SimBranches>>();
    return *kept;
  }

  void heal() {
    store_.release_commits();
    scripted_.busy_commits = scripted_.busy_loads = scripted_.busy_scans = 0;
    scripted_.lost_answers = scripted_.lost_commits = 0;
    branches_->heal();
    world_->run();
    for (int hour = 0; hour < 4; ++hour) world_->advance(std::chrono::hours(1));
    note_acknowledged();
  }

  const unsigned request_percent_;
  const StoreKind kind_;
  CoordinatorOptions options_;
  FakeClock clock_;
  persist::MemoryStore store_{persist::MemoryStore::Crash::loses_progress,
                              persist::MemoryStore::Answers::posted};
  ScriptedStore scripted_{store_};
  std::unique_ptr<SimBranches> branches_;

 protected:
  std::unique_ptr<CoordinatorWorld> world_;  ///< refers to all of the above
};

/// Crashed worlds stay in memory, and each has three descriptors of its io_context. The usual limit
/// of 1,024 is too low for that, but a process may raise its limit up to the hard one.
inline void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

inline std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Runs the simulation with `usual` seeds, or with the seed in CONCERTO_SIM_SEED.
/// CONCERTO_SIM_SEEDS is the number of seeds to run, beginning with CONCERTO_SIM_SEED.
template <class Simulation>
void run_seeds(std::uint64_t usual = 300) {
  const bool is_named = std::getenv("CONCERTO_SIM_SEED") != nullptr;
  const std::uint64_t first = number_in("CONCERTO_SIM_SEED", 1);
  const std::uint64_t count = number_in("CONCERTO_SIM_SEEDS", is_named ? 1 : usual);
  ASSERT_GT(count, 0U);
  raise_descriptor_limit();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation(seed).run();
    if (testing::Test::HasFailure()) {
      FAIL() << "again with CONCERTO_SIM_SEED=" << seed;
    }
  }
}

}  // namespace concerto::test
