// Transactions that are tried before their time, because their target answers again or because a
// request asks for it; and what that does to their intervals.

#include <algorithm>

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;

/// A mode, and the call that its transaction makes to `http://away`.
struct Caller {
  const char* name;
  const char* call;  ///< its name in ScriptedBranches
};

class ATargetThatAnswersAgain : public EngineFixture, public testing::WithParamInterface<Caller> {
 protected:
  static constexpr const char* url = "http://away/op";

  void begin(const std::string& gid) {
    const std::string mode = GetParam().name;
    if (mode == "saga") {
      auto request = make_request(gid, "saga", 1);
      request.steps[0].action = url;
      submit(std::move(request));
    } else if (mode == "sagaBack") {
      auto request = make_request(gid, "saga", 1);
      request.steps[0].compensate = url;
      branches_->reply("action 01", Outcome::failure, "no");
      submit(std::move(request));
    } else if (mode == "msg") {
      auto request = make_request(gid, "msg", 1);
      request.steps[0].action = url;
      submit(std::move(request));
    } else if (mode == "msgQuery") {
      auto request = make_request(gid, "msg", 1);
      request.query_prepared = url;
      prepare(std::move(request));
      world_->advance(seconds(36));
    } else if (mode == "workflow") {
      auto request = make_request(gid, "workflow", 0);
      request.query_prepared = url;
      request.custom_data = R"({"name":"w","data":""})";
      prepare_workflow(std::move(request));
      world_->advance(seconds(11));
    } else {
      prepare(make_request(gid, mode, 0));
      BranchRequest branch;
      branch.gid = Gid(gid);
      branch.trans_type = mode;
      branch.branch_id = "01";
      branch.fields = {{mode == "tcc" ? "confirm" : "url", url}};
      register_branch(std::move(branch));
      submit(make_request(gid, mode, 0));
    }
  }

  std::size_t calls_to_target() const {
    return static_cast<std::size_t>(
        std::count(branches_->calls.begin(), branches_->calls.end(), GetParam().call));
  }
};

TEST_P(ATargetThatAnswersAgain, WakesThoseThatWaitForIt) {
  branches_->reply(GetParam().call, Outcome::error, "refused");
  begin("waits");
  ASSERT_EQ(calls_to_target(), 1U);
  ASSERT_EQ(world_->coordinator().in_flight().live, 0U);
  auto other = make_request("other", "saga", 1);
  other.steps[0].action = "http://away/other";
  submit(std::move(other));
  EXPECT_EQ(status("other"), TransStatus::succeed);
  EXPECT_EQ(calls_to_target(), std::string_view(GetParam().call) == "action 01" ? 3U : 2U);
}

INSTANTIATE_TEST_SUITE_P(Modes, ATargetThatAnswersAgain,
                         testing::Values(Caller{"saga", "action 01"},
                                         Caller{"sagaBack", "compensate 01"},
                                         Caller{"msg", "action 01"}, Caller{"msgQuery", "msg 00"},
                                         Caller{"tcc", "confirm 01"}, Caller{"xa", "commit 01"},
                                         Caller{"workflow", "w 00"}),
                         [](const auto& row) { return std::string(row.param.name); });

class EngineTries : public EngineFixture {
 protected:
  void fail(const std::string& call, int count) {
    for (int i = 0; i < count; ++i) branches_->reply(call, Outcome::error, "refused");
  }
  void submit_sagas(int count, const std::string& url = "http://away/a") {
    for (int i = 0; i < count; ++i) {
      auto request = make_request("g" + std::to_string(next_++), "saga", 1);
      request.steps[0].action = url;
      submit(std::move(request));
    }
  }
  /// Submits a tcc with one branch at `url`.
  void submit_tcc(const std::string& gid, const std::string& url) {
    prepare(make_request(gid, "tcc", 0));
    BranchRequest branch;
    branch.gid = Gid(gid);
    branch.trans_type = "tcc";
    branch.branch_id = "01";
    branch.fields = {{"confirm", url}, {"cancel", url}};
    register_branch(std::move(branch));
    submit(make_request(gid, "tcc", 0));
  }
  std::size_t unfinished() {
    std::size_t sum = 0;
    for (const std::size_t count : world_->coordinator().in_flight().unfinished) sum += count;
    return sum;
  }
  std::size_t calls_of(const std::string& name) const {
    return static_cast<std::size_t>(
        std::count(branches_->calls.begin(), branches_->calls.end(), name));
  }

  int next_ = 0;
};

TEST_F(EngineTries, ATargetThatAnswersAgainGetsNoMoreCallsThanItTakes) {
  fail("action 01", 300);
  submit_sagas(300);
  branches_->hold("action 01");
  submit_sagas(1);
  branches_->calls.clear();
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_THAT(branches_->calls, SizeIs(16));
  branches_->answer("action 01", Outcome::success);
  world_->run();
  EXPECT_THAT(branches_->calls, SizeIs(18)) << "one in place of the call that ended, and one more";
  EXPECT_EQ(world_->coordinator().in_flight().live, 17U) << "the others wait";
  while (branches_->waits("action 01")) {
    branches_->answer("action 01", Outcome::success);
    world_->run();
  }
  EXPECT_EQ(unfinished(), 0U);
}

TEST_F(EngineTries, ATargetThatAnswersOnceWakesFewTransactions) {
  fail("action 01", 300);
  submit_sagas(300);
  submit_tcc("other", "http://away/c");
  ASSERT_EQ(status("other"), TransStatus::succeed);
  ASSERT_EQ(unfinished(), 0U);

  fail("action 01", 400);
  submit_sagas(300);
  branches_->calls.clear();
  submit_tcc("another", "http://away/c");
  EXPECT_EQ(calls_of("action 01"), 16U) << "these end in errors, and wake no others";
  // The other 284 still wait for the target, and these 16 for their time.
  branches_->forget_scripts();
  submit_tcc("one more", "http://away/c");
  EXPECT_EQ(unfinished(), 16U);
}

TEST_F(EngineTries, ATrialNoticesThatATargetIsBack) {
  options_.retry_interval = seconds(1);
  start_world();
  fail("action 01", 10'000);
  submit_sagas(100);
  world_->advance(seconds(72));
  branches_->calls.clear();
  world_->advance(seconds(10));
  EXPECT_THAT(branches_->calls, SizeIs(10)) << "one trial each second, on behalf of all";
  EXPECT_EQ(unfinished(), 100U);
  branches_->forget_scripts();
  world_->advance(seconds(1));
  EXPECT_EQ(unfinished(), 0U);
}

TEST_F(EngineTries, ATrialThatEndsWithoutAnAnswerWakesNobody) {
  fail("action 01", 20);
  submit_sagas(20);
  branches_->hold("action 01");
  branches_->calls.clear();
  world_->advance(seconds(10));
  ASSERT_THAT(branches_->calls, SizeIs(1)) << "one trial, on behalf of all";
  force_stop(branches_->requests.back().gid->str());
  branches_->answer("action 01", Outcome::error, "no answer");
  world_->run();
  EXPECT_THAT(branches_->calls, SizeIs(1));
  EXPECT_EQ(unfinished(), 19U);
}

TEST_F(EngineTries, TrialsDoNotEndTheBackoff) {
  for (int i = 0; i < 1000; ++i) branches_->reply("action 01", Outcome::error, "down");
  for (const char* gid : {"one", "two", "three"}) {
    auto request = make_request(gid, "saga", 1);
    request.steps[0].action = "http://away/op";
    submit(std::move(request));
  }
  world_->advance(seconds(600));
  for (const char* gid : {"one", "two", "three"}) {
    EXPECT_GE(query(gid).next_cron_interval, seconds(160)) << gid;
  }
}

TEST_F(EngineTries, ATransactionThatWaitsAloneKeepsToItsTime) {
  fail("action 01", 3);
  submit_sagas(1);
  world_->advance(seconds(19));
  EXPECT_THAT(branches_->calls, SizeIs(1));
  world_->advance(seconds(3));
  EXPECT_THAT(branches_->calls, SizeIs(2));
  world_->advance(seconds(39));
  EXPECT_THAT(branches_->calls, SizeIs(2));
}

TEST_F(EngineTries, ATransactionThatFailsWhileItsTargetAnswersOthersIsTriedEarlyOnlyOnce) {
  fail("confirm 01", 100);
  submit_tcc("wrong", "http://away/c");
  submit_sagas(50);
  EXPECT_EQ(calls_of("confirm 01"), 2U);
  EXPECT_EQ(query("wrong").next_cron_interval, seconds(20))
      << "an early try makes no interval longer";
  world_->advance(seconds(22));
  submit_sagas(50);
  EXPECT_EQ(calls_of("confirm 01"), 4U);
  EXPECT_EQ(query("wrong").next_cron_interval, seconds(40));
}

TEST_F(EngineTries, EachTryNowStartsTheBackoffAnew) {
  fail("action 01", 20);
  submit_sagas(1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(query("g0").next_cron_interval, seconds(20)) << i;
    reset("g0");
  }
  EXPECT_THAT(branches_->calls, SizeIs(6));
  EXPECT_EQ(query("g0").next_cron_interval, seconds(20));
  world_->advance(seconds(22));
  EXPECT_EQ(query("g0").next_cron_interval, seconds(40)) << "its own tries double the interval";
  reset("g0");
  EXPECT_EQ(query("g0").next_cron_interval, seconds(20));
}

TEST_F(EngineTries, ASubmitThatIsRepeatedDoesNotLengthenTheInterval) {
  fail("action 01", 20);
  submit_sagas(1);
  for (int i = 0; i < 5; ++i) {
    next_ = 0;
    submit_sagas(1);
  }
  EXPECT_THAT(branches_->calls, SizeIs(6));
  EXPECT_EQ(query("g0").next_cron_interval, seconds(20));
}

TEST_F(EngineTries, AnAbortThatIsRepeatedDoesNotLengthenTheInterval) {
  fail("cancel 01", 20);
  prepare(make_request("t", "tcc", 0));
  BranchRequest branch;
  branch.gid = Gid("t");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"confirm", "http://away/c"}, {"cancel", "http://away/c"}};
  register_branch(std::move(branch));
  for (int i = 0; i < 5; ++i) abort(make_request("t", "tcc", 0));
  EXPECT_EQ(calls_of("cancel 01"), 5U);
  EXPECT_EQ(query("t").next_cron_interval, seconds(20));
}

TEST_F(EngineTries, ARestartForgetsWhichTargetTransactionsWaitFor) {
  fail("action 01", 2);
  submit_sagas(2);
  restart();
  submit_tcc("other", "http://away/c");
  EXPECT_EQ(unfinished(), 2U) << "the target that they wait for is not stored";
  fail("action 01", 1);
  world_->advance(seconds(22));
  EXPECT_EQ(unfinished(), 0U) << "the answer to the second transaction wakes the first";
}

}  // namespace
}  // namespace concerto::test
