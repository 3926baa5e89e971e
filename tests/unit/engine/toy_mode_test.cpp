// A mode in one file, and how a coordinator gets it (docs/extending.md).

#include <concerto/engine/mode.hpp>

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

/// A mode that calls its branches one after the other, in their order, and fails at the first
/// failure. It rolls nothing back.
namespace toy {

Result<> expand(TransRequest& request, Transaction& trans) {
  for (std::uint32_t i = 0; i < request.steps.size(); ++i) {
    Branch branch;
    branch.branch_id = BranchId(step_branch_id(i + 1));
    branch.op = "play";
    branch.url = request.steps[i].action;
    branch.payload = i;
    trans.branches.push_back(std::move(branch));
  }
  return ok();
}

Next next(const TransView& view) {
  Next next;
  if (view.trans.status != TransStatus::submitted) return next;
  const auto& branches = view.trans.branches;
  for (std::uint32_t i = 0; i < branches.size(); ++i) {
    if (branches[i].status == BranchStatus::succeed) continue;
    if (branches[i].status == BranchStatus::failed) {
      next.change = StatusChange{TransStatus::failed, std::string(view.failure_text)};
    } else if (view.runs[i] == RunState::idle) {
      next.calls = {i};
      next.needs_durable_successes = true;
    }
    return next;
  }
  next.change = StatusChange{TransStatus::succeed, {}};
  return next;
}

Effect effect(const Transaction& /*trans*/, const Branch& /*branch*/, Outcome outcome) {
  if (outcome == Outcome::success) return Effect::succeed;
  return outcome == Outcome::failure ? Effect::fail : Effect::retry_later;
}

const Mode mode{
    .type = TransType{7},
    .name = "toy",
    .expand = expand,
    .next = next,
    .effect = effect,
};

}  // namespace toy

class ToyMode : public EngineFixture {
 protected:
  ToyMode() : modes_({&toy::mode, &modes::saga}) {}
  void SetUp() override { start_toys(); }

  void start_toys() {
    branches_ = std::make_unique<ScriptedBranches>();
    world_ = std::make_unique<CoordinatorWorld>(store_, clock_, *branches_, modes_);
  }

  const ModeTable modes_;
};

TEST_F(ToyMode, RunsBesideOtherModes) {
  EXPECT_EQ(error_of(submit_and_wait(make_request("t", "toy", 3))), "");
  EXPECT_THAT(branches_->calls, ElementsAre("play 01", "play 02", "play 03"));
  EXPECT_EQ(status("t"), TransStatus::succeed);
  EXPECT_EQ(error_of(submit_and_wait(make_request("s", "saga", 1))), "");
}

TEST_F(ToyMode, IsRetriedAndRecoveredAsEveryModeIs) {
  branches_->reply("play 02", Outcome::error, "not now");
  submit(make_request("t", "toy", 3));
  EXPECT_EQ(branch_statuses("t"), "SPP");
  CoordinatorWorld::crash(std::move(world_));
  store_.crash();
  start_toys();
  branches_->reply("play 02", Outcome::failure, "broken");
  recover();
  world_->advance(seconds(25));
  EXPECT_THAT(branches_->calls, ElementsAre("play 02"));
  EXPECT_EQ(status("t"), TransStatus::failed);
  EXPECT_EQ(query("t").rollback_reason, "broken FAILURE");
}

TEST_F(ToyMode, IsUnknownWhereItIsNotInTheTable) {
  submit(make_request("t", "toy", 1));
  branches_ = std::make_unique<ScriptedBranches>();
  world_.reset();
  start_world();
  EXPECT_EQ(error_of(submit(make_request("t", "toy", 1))), "unknown trans type: toy");
  EXPECT_EQ(error_of(submit(make_request("m", "msg", 1))), "");
}

TEST_F(ToyMode, OfAnotherVersionIsLeftAlone) {
  branches_->reply("play 01", Outcome::error, "not now");
  submit(make_request("t", "toy", 1));
  world_.reset();
  start_world();
  recover();
  world_->advance(std::chrono::hours(1));
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_THAT(world_->observer().lines,
              testing::Contains(HasSubstr("left alone: its type is not in this version")));
  EXPECT_THAT(error_of(force_stop("t")), HasSubstr("is not in this version"));
}

TEST_F(ToyMode, MayBeRunByItsApplication) {
  Mode flow = modes::workflow;
  flow.type = TransType{6};
  flow.name = "flow";
  const ModeTable with_flow({&flow, &modes::saga});
  world_.reset();
  branches_ = std::make_unique<ScriptedBranches>();
  world_ = std::make_unique<CoordinatorWorld>(store_, clock_, *branches_, with_flow);
  TransRequest request = make_request("f", "flow", 0);
  request.query_prepared = "app";
  request.custom_data = R"({"name":"own step","data":""})";
  EXPECT_EQ(prepare_workflow(request)->value().value().type, flow.type);
  EXPECT_EQ(error_of(prepare_workflow(make_request("s", "saga", 1))),
            "trans_type must be 'flow', not 'saga'");
  world_->advance(seconds(25));
  EXPECT_THAT(branches_->calls, testing::Contains("own step 00"));
  request.extra = {{"status", "succeed"}};
  EXPECT_EQ(error_of(submit(request)), "");
  EXPECT_EQ(status("f"), TransStatus::succeed);
  world_.reset();
}

}  // namespace
}  // namespace concerto::test
