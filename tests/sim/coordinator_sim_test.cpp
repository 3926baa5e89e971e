// Sagas and messages under random faults, crashes and clocks: whatever the order, what was
// acknowledged ends, and a done action is either kept with all others or compensated.

#include <cstdlib>

#include <gtest/gtest.h>

#include "coordinator_world.hpp"
#include "sim_branches.hpp"

namespace concerto::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) { start_world(); }

  void run() {
    for (int step = 0; step < 120; ++step) {
      disturb();
      world_->run();
    }
    heal();
    check();
  }

 private:
  struct Submitted {
    Gid gid;
    int steps;
    bool is_saga;
    bool prepared;
    Pending<Result<>> result;
    bool acknowledged = false;
  };

  void disturb() {
    switch (random_.below(12)) {
      case 0:
        submit();
        break;
      case 1:
        store_.hold_commits();
        break;
      case 2:
        store_.release_commits(random_.below(3));
        break;
      case 3:
        store_.release_commits();
        break;
      case 4:
        world_->advance(milliseconds(random_.below(30'000)));
        break;
      case 5:
        world_->advance(milliseconds(random_.below(100)));
        break;
      case 6:
        if (random_.chance(25)) crash();
        break;
      case 7:
        if (!all_.empty()) reset(all_[random_.below(all_.size())].gid);
        break;
      default:
        branches_->end_one();
    }
  }

  void submit() {
    const int steps = 1 + static_cast<int>(random_.below(4));
    const bool is_saga = random_.chance(70);
    const std::string gid = "g" + std::to_string(all_.size());
    auto request = make_request(gid, is_saga ? "saga" : "msg", steps);
    request.query_prepared = "query";
    if (is_saga && random_.chance(40)) {
      const bool ordered = steps > 2 && random_.chance(50);
      request.custom_data =
          ordered ? R"({"concurrent":true,"orders":{"2":[0,1]}})" : R"({"concurrent":true})";
    }
    if (is_saga && random_.chance(40)) request.options.timeout_to_fail = seconds(random_.below(60));
    if (is_saga && random_.chance(30)) request.options.retry_limit = 1;
    if (!is_saga && random_.chance(30)) request.options.concurrent = true;
    const bool prepared = !is_saga && random_.chance(30);
    request.options.wait_result = random_.chance(30);
    Coordinator& coordinator = world_->coordinator();
    auto result = world_->start(prepared ? coordinator.prepare(std::move(request))
                                         : coordinator.submit(std::move(request)));
    all_.push_back({Gid(gid), steps, is_saga, prepared, std::move(result)});
  }

  void reset(const Gid& gid) { world_->start(world_->coordinator().reset_next_cron_time(gid)); }

  /// An error may come after the promise was kept (a pass that did not end in success), so only
  /// success counts as an acknowledgement.
  void note_acknowledged() {
    for (Submitted& one : all_) {
      if (one.result->has_value() && (*one.result)->has_value()) one.acknowledged = true;
    }
  }

  void crash() {
    note_acknowledged();
    CoordinatorWorld::crash(std::move(world_));
    store_.crash();
    branches_->crash();
    clock_.advance(milliseconds(random_.below(100'000)));
    start_world();
    world_->start(world_->coordinator().recover());
  }

  void start_world() {
    old_branches().push_back(std::move(branches_));
    branches_ = std::make_unique<SimBranches>(ledger_, random_);
    world_ = std::make_unique<CoordinatorWorld>(store_, clock_, *branches_);
  }

  /// Crashed worlds refer to theirs.
  static std::vector<std::unique_ptr<SimBranches>>& old_branches() {
    static auto* kept = new std::vector<std::unique_ptr<SimBranches>>();
    return *kept;
  }

  void heal() {
    store_.release_commits();
    branches_->heal();
    world_->run();
    for (int hour = 0; hour < 4; ++hour) world_->advance(std::chrono::hours(1));
    note_acknowledged();
  }

  void check() {
    for (const Submitted& one : all_) {
      const auto found = world_->start(world_->coordinator().query(one.gid));
      const auto& trans = found->value().value();
      EXPECT_TRUE(trans.has_value() || !one.acknowledged) << one.gid.str() << " is lost";
      if (!trans) {
        EXPECT_FALSE(ledger_.steps.contains(one.gid.str())) << "called and not stored";
        continue;
      }
      EXPECT_TRUE(is_final(trans->status)) << one.gid.str() << " has not ended";
      EXPECT_TRUE(one.is_saga || trans->status == TransStatus::succeed) << one.gid.str();
      check_steps(one, trans->status == TransStatus::succeed);
    }
  }

  void check_steps(const Submitted& one, bool kept) {
    for (int number = 1; number <= one.steps; ++number) {
      const std::string branch = "0" + std::to_string(number);
      const BranchLedger::Step& step = ledger_.steps[one.gid.str()][branch];
      EXPECT_EQ(step.in_effect(), kept) << one.gid.str() << " step " << branch;
    }
  }

  SeededRandom random_;
  FakeClock clock_;
  persist::MemoryStore store_{persist::MemoryStore::Crash::loses_progress};
  BranchLedger ledger_;
  std::vector<Submitted> all_;
  std::unique_ptr<SimBranches> branches_;
  std::unique_ptr<CoordinatorWorld> world_;
};

/// Runs the seeds from CONCERTO_SIM_SEED on, or from 1.
TEST(CoordinatorSim, WhatWasAcknowledgedEndsAndEveryActionIsKeptOrCompensated) {
  const char* named = std::getenv("CONCERTO_SIM_SEED");
  const std::uint64_t first = named != nullptr ? std::strtoull(named, nullptr, 10) : 1;
  const std::uint64_t count = named != nullptr ? 1 : 300;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation(seed).run();
    if (HasFailure()) {
      FAIL() << "again with CONCERTO_SIM_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace concerto::test
