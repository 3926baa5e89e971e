// TCC and XA under random faults, crashes and clocks. Every branch whose registration was
// acknowledged is told the same end, and that end is the acknowledged one.

#include "sim_world.hpp"

namespace concerto::test {
namespace {

class SecondPhaseSimulation final : public SimWorld {
 public:
  explicit SecondPhaseSimulation(std::uint64_t seed) : SimWorld(seed, 40) {}

 private:
  struct Asked {
    Pending<Result<>> result;
    bool acknowledged = false;
  };
  struct Prepared {
    std::string gid;
    std::string type;
    Asked prepared;
    std::vector<Asked> branches;  ///< with ids `01`, `02`, ...
    Asked submitted;
    Asked aborted;
  };

  void request() override {
    if (all_.empty() || random_.chance(25)) return prepare();
    Prepared& one = all_[random_.below(all_.size())];
    switch (random_.below(8)) {
      case 0:
        ask(one.submitted, coordinator().submit(make(one)));
        break;
      case 1:
        ask(one.aborted, coordinator().abort(make(one)));
        break;
      case 2:
        world_->start(coordinator().reset_next_cron_time(Gid(one.gid)));
        break;
      default:
        register_branch(one);
    }
  }

  void prepare() {
    Prepared one;
    one.gid = "g" + std::to_string(all_.size());
    one.type = random_.chance(50) ? "tcc" : "xa";
    ask(one.prepared, coordinator().prepare(make(one)));
    all_.push_back(std::move(one));
  }

  void register_branch(Prepared& one) {
    if (one.branches.size() == 9) return;
    BranchRequest branch;
    branch.gid = Gid(one.gid);
    branch.trans_type = one.type;
    branch.branch_id = id_of(one.branches.size());
    branch.fields = {{"confirm", "f"}, {"cancel", "b"}, {"url", "u"}};
    ask(one.branches.emplace_back(), coordinator().register_branch(std::move(branch)));
  }

  TransRequest make(const Prepared& one) {
    auto trans = make_request(one.gid, one.type, 0);
    trans.options.wait_result = random_.chance(20);
    return trans;
  }

  void ask(Asked& asked, Async<> request) {
    asked.acknowledged |= asked.result && succeeded(asked.result);
    asked.result = world_->start(std::move(request));
  }

  static std::string id_of(std::size_t index) { return "0" + std::to_string(index + 1); }

  void note_acknowledged() override {
    const auto note = [](Asked& asked) {
      asked.acknowledged |= asked.result && succeeded(asked.result);
    };
    for (Prepared& one : all_) {
      note(one.prepared);
      note(one.submitted);
      note(one.aborted);
      for (Asked& branch : one.branches) note(branch);
    }
  }

  void check() override {
    for (const Prepared& one : all_) {
      const auto trans = query(Gid(one.gid));
      EXPECT_TRUE(trans.has_value() || !one.prepared.acknowledged) << one.gid << " is lost";
      if (!trans) continue;
      EXPECT_TRUE(is_final(trans->status)) << one.gid << " has not ended";
      const bool forward = trans->status == TransStatus::succeed;
      EXPECT_FALSE(one.submitted.acknowledged && !forward) << one.gid << " was submitted";
      EXPECT_FALSE(one.aborted.acknowledged && forward) << one.gid << " was aborted";
      check_branches(one, forward);
    }
  }

  void check_branches(const Prepared& one, bool forward) {
    for (std::size_t i = 0; i < one.branches.size(); ++i) {
      const BranchLedger::Step& step = ledger_.steps[one.gid][id_of(i)];
      EXPECT_FALSE(step.done && step.compensated) << one.gid << " branch " << id_of(i);
      if (!one.branches[i].acknowledged) continue;
      EXPECT_EQ(step.done, forward) << one.gid << " branch " << id_of(i);
      EXPECT_EQ(step.compensated, !forward) << one.gid << " branch " << id_of(i);
    }
  }

  std::vector<Prepared> all_;
};

TEST(CoordinatorSim, EveryRegisteredBranchHearsOfTheSameEnd) {
  run_seeds<SecondPhaseSimulation>();
}

}  // namespace
}  // namespace concerto::test
