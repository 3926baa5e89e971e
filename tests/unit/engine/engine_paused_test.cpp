// A coordinator that starts paused calls nobody until it is told to begin.

#include "engine_fixture.hpp"
#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

using std::chrono::hours;

class EnginePaused : public EngineFixture {
 protected:
  /// Leaves a saga whose first step has failed and a tcc that nobody submits, and starts again,
  /// paused.
  void SetUp() override {
    EngineFixture::SetUp();
    branches_->reply("action 01", Outcome::error, "out of order");
    submit(make_request("g", "saga", 2));
    prepare(make_request("t", "tcc", 0));
    options_.starts_paused = true;
    restart_after_crash();
  }
  bool begin() { return world_->start(world_->coordinator().begin())->value(); }
  std::string why(const std::string& gid) {
    return world_->start(world_->coordinator().inspect(Gid(gid)))->value().value()->explanation;
  }
};

TEST_F(EnginePaused, CallsNobodyAndAnswersQueries) {
  world_->advance(hours{10});
  EXPECT_EQ(status("g"), TransStatus::submitted);
  EXPECT_EQ(status("t"), TransStatus::prepared);
  world_->advance(hours{10});
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_TRUE(world_->coordinator().is_paused());
}

TEST_F(EnginePaused, SaysSo) {
  EXPECT_THAT(why("g"), HasSubstr("was started paused"));
  EXPECT_THAT(why("t"), HasSubstr("was started paused"));
  const auto in_flight = [this] { return world_->coordinator().in_flight(); };
  EXPECT_EQ(in_flight().alarms, 2U);
  world_->advance(hours{10});
  EXPECT_EQ(in_flight().lag.count(), 0);  // Nothing is late that is not to happen.
}

TEST_F(EnginePaused, RefusesWhatLeadsToCalls) {
  BranchRequest branch;
  branch.gid = Gid("t");
  branch.trans_type = "tcc";
  const std::vector<Pending<Result<>>> refused = {
      submit(make_request("new", "saga", 1)), prepare(make_request("new", "msg", 1)),
      abort(make_request("t", "tcc", 0)), register_branch(std::move(branch)), reset("g")};
  for (const auto& result : refused) {
    EXPECT_EQ(code_of(result), Errc::overloaded);
    EXPECT_THAT(error_of(result), HasSubstr("paused"));
  }
  EXPECT_EQ(code_of(prepare_workflow(make_request("new", "workflow", 0))), Errc::overloaded);
  const auto all = world_->start(world_->coordinator().reset_cron_time(seconds{-1}, 10));
  EXPECT_EQ(code_of(all), Errc::overloaded);
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_FALSE(world_->start(world_->coordinator().query(Gid("new")))->value().value().has_value());
}

TEST_F(EnginePaused, AnOperatorEndsTransactions) {
  EXPECT_EQ(error_of(force_stop("g")), "");
  EXPECT_EQ(status("g"), TransStatus::failed);
  EXPECT_THAT(branches_->calls, IsEmpty());
}

TEST_F(EnginePaused, WhatASkipLeavesIsCalledAfterTheBegin) {
  const auto skip = [this] {
    return world_->start(world_->coordinator().skip_branch(Gid("g"), {"01", "action"}));
  };
  EXPECT_EQ(error_of(skip()), "");
  world_->advance(hours{1});
  EXPECT_THAT(branches_->calls, IsEmpty());
  EXPECT_THAT(why("g"), HasSubstr("was started paused"));
  begin();
  world_->run();
  EXPECT_THAT(branches_->calls, ElementsAre("action 02"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

TEST_F(EnginePaused, BeginsWhenItIsTold) {
  EXPECT_TRUE(begin());
  EXPECT_FALSE(world_->coordinator().is_paused());
  world_->advance(std::chrono::minutes{1});
  EXPECT_THAT(branches_->calls, ElementsAre("action 01", "action 02"));
  EXPECT_EQ(status("g"), TransStatus::succeed);
  EXPECT_EQ(status("t"), TransStatus::failed);  // its timeout
  submit(make_request("new", "saga", 1));
  EXPECT_EQ(status("new"), TransStatus::succeed);
  EXPECT_FALSE(begin());
}

TEST_F(EnginePaused, TellsThoseWhoWaitForTheBegin) {
  const auto waits = world_->start(world_->coordinator().wait_until_begun());
  EXPECT_FALSE(waits->has_value());
  begin();
  EXPECT_TRUE(waits->value());
  EXPECT_TRUE(world_->start(world_->coordinator().wait_until_begun())->value());
}

TEST_F(EnginePaused, StopsWithoutHavingBegun) {
  const auto waits = world_->start(world_->coordinator().wait_until_begun());
  options_.starts_paused = false;
  restart();
  EXPECT_FALSE(waits->value());
  world_->advance(std::chrono::minutes{1});
  EXPECT_EQ(status("g"), TransStatus::succeed);
}

class SharedPaused : public SharedFixture {};

TEST_F(SharedPaused, TakesNothingOverUntilItBegins) {
  a_branches_.reply("action 01", Outcome::error);
  submit(*a_, make_request("g", "saga", 1));
  kill(*a_);
  kill(*b_);
  options_.starts_paused = true;
  b_ = start_node("c", b_branches_);
  advance(takeover_ + hours{1});
  EXPECT_THAT(b_branches_.calls, IsEmpty());
  EXPECT_EQ(shown(*b_), TransStatus::submitted);
  b_->world->start(b_->coordinator().begin());
  advance(takeover_);
  EXPECT_THAT(b_branches_.calls, ElementsAre("action 01"));
  EXPECT_EQ(shown(*b_), TransStatus::succeed);
}

}  // namespace
}  // namespace concerto::test
