// Alarms of waiting transactions wake them, whatever happens around them.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

class EngineAlarms : public EngineFixture {
 protected:
  std::size_t unfinished(TransType type) {
    return world_->coordinator().in_flight().unfinished[static_cast<std::size_t>(type)];
  }
};

TEST_F(EngineAlarms, ATimeoutIsNotLostIfItsTransactionCannotBeReadAtThatTime) {
  branches_->hold("action 01");
  auto request = make_request("g", "saga", 1);
  request.options.timeout_to_fail = seconds(60);
  submit(std::move(request));
  // After a failed write the transaction must be read again. That is refused while a call runs.
  store_.fail_commit(1);
  ASSERT_NE(error_of(reset("g")), "");
  store_.crash();
  world_->advance(seconds(60));
  ASSERT_THAT(world_->observer().warnings.back(), HasSubstr("cannot be read"));
  branches_->answer("action 01", Outcome::error, "refused");
  world_->advance(seconds(15));
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineAlarms, WakeAsSoonAsATransactionHasLeftFullMemory) {
  options_.in_flight_max = 1;
  start_world();
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("g", "saga", 1));
  ASSERT_EQ(world_->coordinator().in_flight().live, 0U);
  world_->advance(seconds(22));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineAlarms, ATimeoutIsSetEvenIfARequestWasFasterThanRecovery) {
  auto request = make_request("g", "saga", 1);
  request.options.timeout_to_fail = seconds(60);
  branches_->reply("action 01", Outcome::error, "refused");
  submit(request);
  world_.reset();
  start_world();
  branches_->hold("action 01");
  submit(request);
  ASSERT_TRUE(branches_->waits("action 01"));
  recover();
  EXPECT_EQ(unfinished(TransType::saga), 1U);
  world_->advance(seconds(60));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  branches_->answer("action 01", Outcome::error, "refused");
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_EQ(unfinished(TransType::saga), 0U);
}

TEST_F(EngineAlarms, ATimeoutIsSetEvenIfARequestRunsDuringRecovery) {
  prepare(make_request("t", "tcc", 0));
  world_.reset();
  start_world();
  store_.hold_commits();
  BranchRequest branch;
  branch.gid = Gid("t");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"confirm", "u"}, {"cancel", "u"}};
  const auto registered = register_branch(std::move(branch));
  recover();
  store_.release_commits();
  world_->run();
  ASSERT_EQ(error_of(registered), "");
  EXPECT_EQ(unfinished(TransType::tcc), 1U);
  world_->advance(seconds(36));
  EXPECT_EQ(status("t"), TransStatus::failed);
  EXPECT_EQ(unfinished(TransType::tcc), 0U);
}

}  // namespace
}  // namespace concerto::test
