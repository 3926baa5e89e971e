#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;
using testing::StartsWith;

class EngineInspect : public EngineFixture {
 protected:
  Inspection inspect(const std::string& gid) {
    const auto found = world_->start(world_->coordinator().inspect(Gid(gid)));
    return found->value().value().value();
  }
};

TEST_F(EngineInspect, AnUnknownGidHasNoInspection) {
  const auto found = world_->start(world_->coordinator().inspect(Gid("nobody")));
  EXPECT_FALSE(found->value().value().has_value());
}

TEST_F(EngineInspect, ACallWithAnErrorShowsItsAnswerAndTheNextTry) {
  branches_->reply("action 01", Outcome::error, "500: no disk");
  submit(make_request("g", "saga", 2));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.activity, Activity::waiting);
  EXPECT_EQ(why.explanation,
            "the last call, branch 01 action at a1, ended in error: 500: no disk; tried at once "
            "when a1 answers again");
  ASSERT_THAT(why.attempts, SizeIs(1));
  const Attempt& attempt = why.attempts.front();
  EXPECT_EQ(attempt.branch_id, "01");
  EXPECT_EQ(attempt.op, "action");
  EXPECT_EQ(attempt.url, "a1");
  EXPECT_EQ(attempt.outcome, Outcome::error);
  EXPECT_EQ(attempt.answer, "500: no disk");
  EXPECT_EQ(attempt.next_try, why.next_attempt);
  EXPECT_EQ(why.next_attempt, why.trans.next_cron_time);
}

TEST_F(EngineInspect, SuccessesAfterTroubleAreKeptToo) {
  branches_->reply("action 01", Outcome::ongoing);
  submit(make_request("g", "saga", 2));
  EXPECT_THAT(inspect("g").explanation, StartsWith("the last call, branch 01 action at a1, ended"));
  world_->advance(seconds(15));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.activity, Activity::finished);
  EXPECT_EQ(why.explanation, "succeed");
  ASSERT_THAT(why.attempts, SizeIs(3));
  EXPECT_EQ(why.attempts[0].outcome, Outcome::ongoing);
  EXPECT_EQ(why.attempts[1].outcome, Outcome::success);
  EXPECT_EQ(why.attempts[2].branch_id, "02");
}

TEST_F(EngineInspect, AnEmptyUrlAfterTroubleIsAnAttemptWithoutACall) {
  branches_->reply("action 01", Outcome::failure, "no money");
  TransRequest request = make_request("g", "saga", 1);
  request.steps[0].compensate.clear();
  submit(std::move(request));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.trans.status, TransStatus::failed);
  ASSERT_THAT(why.attempts, SizeIs(2));
  EXPECT_EQ(why.attempts[1].op, "compensate");
  EXPECT_EQ(why.attempts[1].url, "");
  EXPECT_EQ(why.attempts[1].outcome, Outcome::success);
  EXPECT_EQ(why.attempts[1].answer, "no URL: counts as done without a call");
}

TEST_F(EngineInspect, AttemptsWithoutTroubleAreNotKept) {
  submit(make_request("g", "saga", 2));
  EXPECT_THAT(inspect("g").attempts, IsEmpty());
}

TEST_F(EngineInspect, ARunningCallIsNamed) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 2));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.activity, Activity::running);
  EXPECT_EQ(why.explanation, "calls branch 01 action at a1");
  EXPECT_FALSE(why.next_attempt.has_value());
}

TEST_F(EngineInspect, ManyRunningCallsAreCounted) {
  branches_->hold("action 01"), branches_->hold("action 02"), branches_->hold("action 03");
  branches_->hold("action 04"), branches_->hold("action 05");
  auto request = make_request("g", "saga", 5);
  request.custom_data = R"({"concurrent":true})";
  submit(std::move(request));
  EXPECT_EQ(inspect("g").explanation,
            "calls branch 01 action at a1, branch 02 action at a2, branch 03 action at a3 and 2 "
            "more");
}

TEST_F(EngineInspect, APreparedTransactionShowsItsTimeout) {
  prepare(make_request("t", "tcc", 0));
  const Inspection tcc = inspect("t");
  EXPECT_EQ(tcc.activity, Activity::prepared);
  EXPECT_EQ(tcc.explanation,
            "its application has not submitted it; after 35 seconds it rolls back");
  EXPECT_EQ(tcc.next_attempt, tcc.trans.create_time + seconds(35));

  auto msg = make_request("m", "msg", 1);
  msg.query_prepared = "q";
  prepare(std::move(msg));
  EXPECT_THAT(inspect("m").explanation, HasSubstr("after 35 seconds the coordinator asks q"));

  prepare(make_request("n", "msg", 1));
  EXPECT_EQ(inspect("n").explanation,
            "its application has not submitted it; after 35 seconds it is submitted as if its "
            "application had done so");

  prepare(make_request("s", "saga", 1));
  EXPECT_THAT(inspect("s").explanation, HasSubstr("it has no timeout"));
}

TEST_F(EngineInspect, AWorkflowShowsWhoResumesIt) {
  auto request = make_request("w", "workflow", 0);
  request.query_prepared = "resume";
  request.custom_data = R"({"name":"wf","data":""})";
  prepare_workflow(std::move(request));
  const Inspection why = inspect("w");
  EXPECT_EQ(why.activity, Activity::prepared);
  EXPECT_THAT(why.explanation, HasSubstr("the coordinator calls resume to resume it"));
  EXPECT_EQ(why.next_attempt, why.trans.next_cron_time);
}

TEST_F(EngineInspect, ADelayIsAReason) {
  auto request = make_request("m", "msg", 1);
  request.custom_data = R"({"delay":60})";
  submit(std::move(request));
  const Inspection why = inspect("m");
  EXPECT_EQ(why.activity, Activity::waiting);
  EXPECT_EQ(why.explanation, "waits for its delay of 60 seconds");
  EXPECT_EQ(why.next_attempt, *why.trans.submit_time + seconds(60));
}

TEST_F(EngineInspect, AFailedTransactionShowsItsReason) {
  branches_->reply("action 01", Outcome::failure, "no money");
  submit(make_request("g", "saga", 1));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.activity, Activity::finished);
  EXPECT_EQ(why.explanation, "failed: url:a1 return failed: no money FAILURE");
}

TEST_F(EngineInspect, AStoppedTransactionSaysWhoStoppedItWhereAndWhy) {
  branches_->reply("action 02", Outcome::error, "no disk");
  submit(make_request("g", "saga", 2));
  const std::string alice = "alice";
  RequestContext context;
  context.caller = CallerId(alice);
  world_->start(world_->coordinator().force_stop(Gid("g"), context, "ticket\n4711"));
  const Inspection why = inspect("g");
  EXPECT_EQ(why.activity, Activity::finished);
  EXPECT_EQ(why.explanation, "failed: stopped by alice while submitted at a2: ticket 4711");
  EXPECT_THAT(why.urls, IsEmpty());
  EXPECT_TRUE(why.trans.rollback_time.has_value() || why.trans.finish_time.has_value());
}

TEST_F(EngineInspect, AStoppedTransactionKeepsTheReasonOfItsRollback) {
  branches_->reply("action 01", Outcome::failure, "no money");
  branches_->reply("compensate 01", Outcome::error, "no disk");
  submit(make_request("g", "saga", 1));
  force_stop("g");
  const Inspection why = inspect("g");
  EXPECT_EQ(why.explanation,
            "failed: stopped by an operator while aborting at c1; before that: url:a1 return "
            "failed: no money FAILURE");
  EXPECT_THAT(why.urls, testing::ElementsAre("a1"));
}

TEST_F(EngineInspect, ALongReasonLeavesRoomForTheStop) {
  auto request = make_request("g", "saga", 1);
  request.steps.front().action = "http://h/" + std::string(3'000, 'u');
  branches_->reply("action 01", Outcome::error);
  submit(std::move(request));
  world_->start(world_->coordinator().force_stop(Gid("g"), {}, std::string(5'000, 'r')));
  const std::string reason = inspect("g").trans.rollback_reason;
  EXPECT_LE(reason.size(), 1'024U);
  EXPECT_THAT(reason, StartsWith("stopped by an operator while submitted at http://h/uuu"));
  EXPECT_THAT(reason, HasSubstr(": rrr"));
}

TEST_F(EngineInspect, ASkippedBranchIsAmongTheAttempts) {
  branches_->reply("action 01", Outcome::error, "no disk");
  branches_->reply("action 02", Outcome::error, "no room");
  submit(make_request("g", "saga", 2));
  world_->start(world_->coordinator().skip_branch(Gid("g"), {"01", "action"}, {}, "by hand"));
  const Inspection why = inspect("g");
  ASSERT_THAT(why.attempts, SizeIs(3));
  EXPECT_EQ(why.attempts[1].branch_id, "01");
  EXPECT_EQ(why.attempts[1].outcome, Outcome::success);
  EXPECT_EQ(why.attempts[1].answer, "skipped by an operator, without a call: by hand");
  EXPECT_EQ(why.attempts[2].answer, "no room");
  EXPECT_THAT(branches_->calls, testing::ElementsAre("action 01", "action 02"));
}

TEST_F(EngineInspect, ARestartForgetsAttempts) {
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("g", "saga", 1));
  world_->advance(seconds(1));
  world_.reset();
  start_world();
  recover();
  EXPECT_THAT(inspect("g").attempts, IsEmpty());
  EXPECT_THAT(inspect("g").explanation, StartsWith("waits for its next try"));
}

TEST_F(EngineInspect, AQueuedTransactionShowsItsTarget) {
  options_.wakes_per_target_max = 1;
  start_world();
  for (const std::string gid : {"g1", "g2"}) {
    branches_->reply("action 01", Outcome::error, "refused");
    auto request = make_request(gid, "saga", 1);
    request.steps[0].action = "http://dead/a";
    submit(std::move(request));
  }
  branches_->hold("action 01");
  world_->advance(seconds(25));
  std::vector<std::string> texts{inspect("g1").explanation, inspect("g2").explanation};
  EXPECT_THAT(texts, testing::UnorderedElementsAre(
                         "calls branch 01 action at http://dead/a",
                         "waits for room at http://dead, which is tried again for at most 1 at "
                         "one time"));
}

TEST_F(EngineInspect, UnfinishedTransactionsAreCountedByTypeAndAge) {
  const auto count = [&](TransType type) {
    return world_->coordinator().in_flight().unfinished[static_cast<std::size_t>(type)];
  };
  const auto oldest = [&] {
    return world_->start(world_->coordinator().oldest_unfinished())->value();
  };
  EXPECT_FALSE(oldest().has_value());
  const WallTime begin = clock_.wall_now();
  prepare(make_request("s", "saga", 1));
  prepare(make_request("t", "tcc", 0));
  world_->advance(seconds(1));
  submit(make_request("done", "saga", 1));
  EXPECT_EQ(count(TransType::saga), 1U);
  EXPECT_EQ(count(TransType::tcc), 1U);
  EXPECT_EQ(oldest(), begin);
  restart_after_crash();
  EXPECT_EQ(count(TransType::saga), 1U);
  EXPECT_EQ(count(TransType::tcc), 1U);
  force_stop("s");
  abort(make_request("t", "tcc", 0));
  EXPECT_EQ(count(TransType::saga), 0U);
  EXPECT_EQ(count(TransType::tcc), 0U);
  EXPECT_FALSE(oldest().has_value());
}

TEST_F(EngineInspect, TroubleIsReportedWithItsRetries) {
  for (int i = 0; i < 4; ++i) branches_->reply("action 01", Outcome::error, "refused");
  auto request = make_request("g", "saga", 1);
  request.options.retry_interval = seconds(1);
  submit(std::move(request));
  world_->advance(seconds(40));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_THAT(world_->observer().troubles, ElementsAre("a1 1", "a1 2", "a1 3", "a1 4"));
}

TEST_F(EngineInspect, AFailureThatIsRetriedIsTroubleToo) {
  branches_->reply("action 01", Outcome::failure, "no");
  submit(make_request("m", "msg", 1));
  EXPECT_THAT(world_->observer().troubles, ElementsAre("a1 1"));
  EXPECT_EQ(world_->observer().last_trouble,
            "the branch call has no defined result and will be retried: no FAILURE");
}

TEST_F(EngineInspect, AnErrorOfTheApplicationIsNoTroubleOfABranch) {
  auto request = make_request("m", "msg", 1);
  request.query_prepared = "q";
  prepare(std::move(request));
  branches_->reply("msg 00", Outcome::error, "refused");
  world_->advance(seconds(36));
  EXPECT_THAT(branches_->calls, ElementsAre("msg 00"));
  EXPECT_THAT(world_->observer().troubles, IsEmpty());
}

TEST_F(EngineInspect, RollingBackIsNoErrorOfAPass) {
  branches_->reply("action 01", Outcome::failure, "no");
  submit(make_request("g", "saga", 1));
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("h", "saga", 1));
  EXPECT_THAT(world_->observer().passes, ElementsAre("g ok", "h error"));
}

TEST_F(EngineInspect, APassWithAnErrorIsReportedEvenIfAnotherPassFollows) {
  branches_->hold("action 01");
  submit(make_request("g", "saga", 1));
  reset("g");
  branches_->answer("action 01", Outcome::error, "refused");
  world_->run();
  EXPECT_TRUE(branches_->waits("action 01")) << "the second pass begins at once";
  EXPECT_THAT(world_->observer().passes, ElementsAre("g error"));
}

}  // namespace
}  // namespace concerto::test
