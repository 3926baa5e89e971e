// An operator marks a branch as done.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

class EngineSkip : public EngineFixture {
 protected:
  Pending<Result<>> skip(const std::string& gid, const std::string& branch_id = "",
                         const std::string& op = "") {
    return world_->start(world_->coordinator().skip_branch(Gid(gid), {branch_id, op}));
  }
};

TEST_F(EngineSkip, TheNextBranchCountsAsDoneAndTheTransactionGoesOn) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 2));
  EXPECT_EQ(error_of(skip("g")), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
}

TEST_F(EngineSkip, ASkipSurvivesACrash) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 2));
  branches_->hold("action 02");
  EXPECT_EQ(error_of(skip("g", "01", "action")), "");
  restart_after_crash();
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 02"));
}

TEST_F(EngineSkip, ACompensationIsSkipped) {
  branches_->reply("action 02", Outcome::failure);
  branches_->reply("compensate 01", Outcome::error);
  submit(make_request("g", "saga", 2));
  EXPECT_EQ(status("g"), TransStatus::aborting);
  EXPECT_EQ(error_of(skip("g", "01", "compensate")), "");
  EXPECT_EQ(status("g"), TransStatus::failed);
}

TEST_F(EngineSkip, SomethingElseIsRefusedAndChangesNothing) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 2));
  const Transaction before = query("g");
  EXPECT_THAT(error_of(skip("g", "03", "action")), HasSubstr("no row"));
  EXPECT_THAT(error_of(skip("g", "02")), HasSubstr("no row that is called now"));
  EXPECT_THAT(error_of(skip("nobody")), HasSubstr("nobody"));
  EXPECT_EQ(query("g"), before);
}

TEST_F(EngineSkip, OnlyWhatIsCalledNowIsSkipped) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 2));
  EXPECT_THAT(error_of(skip("g", "01", "compensate")), HasSubstr("no row that is called now"));
  prepare(make_request("m", "msg", 1));
  EXPECT_THAT(error_of(skip("m")), HasSubstr("calls no branch next, its status is 'prepared'"));
  EXPECT_EQ(error_of(skip("g", "", "action")), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EngineSkip, OneOfSeveralBranchesHasToBeNamed) {
  for (const char* call : {"action 01", "action 02"}) branches_->reply(call, Outcome::error);
  TransRequest request = make_request("g", "saga", 2);
  request.custom_data = R"({"concurrent":true})";
  submit(std::move(request));
  EXPECT_THAT(error_of(skip("g")), HasSubstr("2 rows"));
  EXPECT_EQ(error_of(skip("g", "02")), "");
}

TEST_F(EngineSkip, ABranchThatIsBeingCalledIsNotSkipped) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  EXPECT_THAT(error_of(skip("g", "01", "action")), HasSubstr("is being called"));
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(error_of(skip("g", "01", "action")), HasSubstr("has ended with status 'succeed'"));
}

TEST_F(EngineSkip, ABranchBehindTheOneThatIsCalledIsNotSkipped) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 3));
  EXPECT_THAT(error_of(skip("g", "03", "action")),
              HasSubstr("branch 03 action of gid g is not called now, but branch 01 action is"));
  EXPECT_EQ(error_of(skip("g", "01", "action")), "");
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02", "action 03"));
}

TEST_F(EngineSkip, ABranchThatIsDoneIsNotSkippedAgain) {
  branches_->reply("action 02", Outcome::error);
  submit(make_request("g", "saga", 2));
  EXPECT_THAT(error_of(skip("g", "01", "action")), HasSubstr("'succeed', it cannot be skipped"));
}

TEST_F(EngineSkip, TheLogTellsWhatWasSkipped) {
  branches_->reply("action 01", Outcome::error);
  submit(make_request("g", "saga", 1));
  skip("g", "01", "action");
  EXPECT_THAT(world_->observer().warnings,
              testing::Contains(HasSubstr("g: skip branch 01 action")));
}

}  // namespace
}  // namespace concerto::test
