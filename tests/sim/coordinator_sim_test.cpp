// Sagas and messages under random faults, crashes and clocks. Whatever the order, an acknowledged
// transaction ends, and an action that was done is either kept with all others or compensated.

#include "sim_world.hpp"

namespace concerto::test {
namespace {

using std::chrono::seconds;

class StepsSimulation : public SimWorld {
 public:
  explicit StepsSimulation(std::uint64_t seed, StoreKind kind = StoreKind::local)
      : SimWorld(seed, 17, kind) {}

 private:
  struct Submitted {
    Gid gid;
    int steps;
    bool is_saga;
    Pending<Result<>> result;
    bool acknowledged = false;
  };

  void request() override {
    if (all_.empty() || random_.chance(50)) return submit();
    const Gid gid = all_[random_.below(all_.size())].gid;
    world_->start(coordinator().reset_next_cron_time(gid));
  }

  void submit() {
    const int steps = 1 + static_cast<int>(random_.below(4));
    const bool is_saga = random_.chance(70);
    const std::string gid = "g" + std::to_string(all_.size());
    auto trans = make_request(gid, is_saga ? "saga" : "msg", steps);
    trans.query_prepared = "query";
    if (is_saga && random_.chance(40)) {
      const bool ordered = steps > 2 && random_.chance(50);
      trans.custom_data =
          ordered ? R"({"concurrent":true,"orders":{"2":[0,1]}})" : R"({"concurrent":true})";
    }
    if (is_saga && random_.chance(40)) trans.options.timeout_to_fail = seconds(random_.below(60));
    if (is_saga && random_.chance(30)) trans.options.retry_limit = 1;
    if (!is_saga && random_.chance(30)) trans.options.concurrent = true;
    const bool prepared = !is_saga && random_.chance(30);
    trans.options.wait_result = random_.chance(30);
    auto result = world_->start(prepared ? coordinator().prepare(std::move(trans))
                                         : coordinator().submit(std::move(trans)));
    all_.push_back({Gid(gid), steps, is_saga, std::move(result)});
  }

  void note_acknowledged() override {
    for (Submitted& one : all_) one.acknowledged |= succeeded(one.result);
  }

  void check() override {
    for (const Submitted& one : all_) {
      const auto trans = query(one.gid);
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

  std::vector<Submitted> all_;
};

/// The same steps with a store that fails and recovers.
class StepsWithAStoreOnAServer final : public StepsSimulation {
 public:
  explicit StepsWithAStoreOnAServer(std::uint64_t seed)
      : StepsSimulation(seed, StoreKind::on_server) {}
};

TEST(CoordinatorSim, WhatWasAcknowledgedEndsAlsoWithAStoreThatIsAwayAndLosesAnswers) {
  run_seeds<StepsWithAStoreOnAServer>();
}

TEST(CoordinatorSim, WhatWasAcknowledgedEndsAndEveryActionIsKeptOrCompensated) {
  run_seeds<StepsSimulation>();
}

}  // namespace
}  // namespace concerto::test
