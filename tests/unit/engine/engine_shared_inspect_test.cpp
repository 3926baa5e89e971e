// Why a transaction waits, asked at another coordinator than the one that made its attempts.

#include "sample_transactions.hpp"
#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

using testing::EndsWith;
using testing::SizeIs;
using testing::StartsWith;

class EngineSharedInspect : public SharedFixture {
 protected:
  Inspection inspect(SharedNode& node) {
    const auto found = node.world->start(node.coordinator().inspect(Gid("g")));
    return found->value().value().value();
  }
};

TEST_F(EngineSharedInspect, AnotherCoordinatorSaysWhatTheStoreKnows) {
  for (int i = 0; i < 2; ++i) a_branches_.reply("action 01", Outcome::error, "500: no disk");
  submit(*a_, make_request("g", "saga", 1));
  b_->is_paused = true;
  advance(seconds(25));
  b_->is_paused = false;
  b_->world->run();
  const Inspection here = inspect(*a_);
  const Inspection there = inspect(*b_);
  EXPECT_THAT(here.explanation, StartsWith("this coordinator's last call, branch 01 "
                                           "action at a1, ended in error: 500: no disk"));
  EXPECT_EQ(there.activity, Activity::waiting);
  EXPECT_THAT(there.attempts, IsEmpty());
  EXPECT_EQ(there.next_attempt, there.trans.next_cron_time);
  EXPECT_EQ(there.explanation,
            "waits for its next try at a1; its interval has grown to 40 s, since at least 2 passes "
            "ended in an error; its attempts are known only to the coordinator that made them, and "
            "the store does not say which one that was: ask the others");
}

TEST_F(EngineSharedInspect, AttemptsAtAnEarlierUrlAreNotTakenForThoseOfOthers) {
  a_branches_.reply("action 01", Outcome::error, "500: no disk");
  submit(*a_, make_request("g", "saga", 1));
  b_branches_.reply("action 01", Outcome::error, "500: nor here");
  BranchEdit edit;
  edit.gid = Gid("g");
  edit.row = {"01", "action"};
  edit.url = "http://other/a";
  const auto edited = b_->world->start(b_->coordinator().edit_branch(std::move(edit)));
  ASSERT_EQ(error_of(edited), "");
  const Inspection here = inspect(*a_);
  ASSERT_THAT(here.attempts, SizeIs(1));
  EXPECT_THAT(here.explanation, StartsWith("waits for its next try at http://other/a"));
  EXPECT_THAT(here.explanation,
              EndsWith("; its branch has another URL since the last attempt, which was at a1; what "
                       "other coordinators have tried since, only they know"));
  EXPECT_THAT(inspect(*b_).explanation, StartsWith("this coordinator's last call, branch 01 "
                                                   "action at http://other/a"));
}

TEST_F(EngineSharedInspect, TheNextAttemptIsThatOfTheCoordinatorThatMadeTheLastOne) {
  b_branches_.reply("action 01", Outcome::error);
  submit(*b_, make_request("g", "saga", 1));
  const WallTime first = inspect(*b_).next_attempt.value();
  advance(seconds(5));
  a_branches_.reply("action 01", Outcome::error);
  ASSERT_EQ(error_of(reset(*a_)), "");
  const WallTime next = inspect(*a_).next_attempt.value();
  EXPECT_GT(next, first);
  EXPECT_EQ(inspect(*b_).next_attempt, next);
}

TEST_F(EngineSharedInspect, AnotherCoordinatorKnowsADelay) {
  auto request = make_request("g", "msg", 1);
  request.custom_data = R"({"delay":60})";
  submit(*a_, std::move(request));
  advance(seconds(1));
  EXPECT_EQ(inspect(*b_).explanation, "waits for its delay of 60 seconds");
}

TEST_F(EngineSharedInspect, AnotherCoordinatorKnowsThatTheApplicationWasAsked) {
  auto request = make_request("g", "msg", 1);
  request.query_prepared = "q";
  prepare(*a_, request);
  EXPECT_EQ(inspect(*b_).explanation,
            "its application has not submitted it; after 35 seconds the coordinator asks q");
  EXPECT_EQ(inspect(*b_).activity, Activity::prepared);
  for (int i = 0; i < 4; ++i) a_branches_.reply("msg 00", Outcome::error, "refused");
  pause(*b_, seconds(150));
  b_->world->run();
  const Inspection there = inspect(*b_);
  EXPECT_EQ(there.activity, Activity::waiting);
  EXPECT_THAT(there.explanation, StartsWith("waits for its next try at q; its interval has grown"));
  EXPECT_EQ(there.next_attempt, there.trans.next_cron_time);
}

TEST_F(EngineSharedInspect, AnotherCoordinatorKnowsThatTheApplicationWasStillBusy) {
  auto request = make_request("g", "msg", 1);
  request.query_prepared = "q";
  for (int i = 0; i < 4; ++i) a_branches_.reply("msg 00", Outcome::ongoing);
  prepare(*a_, request);
  pause(*b_, seconds(50));
  b_->world->run();
  EXPECT_THAT(inspect(*b_).explanation, StartsWith("waits for its next try at q; its attempts"));
}

TEST_F(EngineSharedInspect, WithoutATimeNoAttemptIsPlanned) {
  Transaction trans = sample_saga("g");
  trans.status = TransStatus::prepared;
  trans.create_time = clock_.wall_now();
  trans.next_cron_time = {};
  ASSERT_EQ(error_of(a_->world->start(a_->store.commit(create(trans)))), "");
  const Inspection why = inspect(*b_);
  EXPECT_EQ(why.activity, Activity::waiting);
  EXPECT_THAT(why.explanation, StartsWith("its next_cron_time is empty, so no next attempt"));
  EXPECT_FALSE(why.next_attempt.has_value());
}

TEST_F(EngineSharedInspect, AfterTheEndOfALeaseNobodyWorksOnIt) {
  a_branches_.hold("action 01");
  submit(*a_, make_request("g", "saga", 1));
  EXPECT_THAT(inspect(*b_).explanation, StartsWith("another coordinator, cc-a, works"));
  kill(*a_);
  b_->is_paused = true;
  advance(lease_ + seconds(2));
  b_->is_paused = false;
  // Without a poll before the question.
  EXPECT_EQ(inspect(*b_).explanation,
            "nobody works on it; a coordinator takes it at its next look for due ones");
}

TEST_F(EngineSharedInspect, ATransactionThatLacksARowIsLeftAloneAndToldOnce) {
  const std::string why = "transaction 'g' is damaged: branch 02 has no action";
  Transaction trans = sample_saga("g");
  trans.create_time = clock_.wall_now();
  trans.branches.pop_back();
  ASSERT_EQ(error_of(a_->world->start(a_->store.commit(create(trans)))), "");
  for (int i = 0; i < 5; ++i) advance(takeover_);
  EXPECT_EQ(stored().status, TransStatus::submitted);
  const auto stopped = force_stop(*a_);
  EXPECT_EQ(error_of(stopped), why);
  EXPECT_EQ(code_of(stopped), EngineErrc::store_damaged);
  EXPECT_EQ(error_of(reset(*a_)), why);
  EXPECT_THAT(inspect(*a_).explanation, StartsWith(why));
  EXPECT_EQ(a_->coordinator().in_flight().damaged, 1U);
  EXPECT_EQ(a_->coordinator().damaged_count(), 1U);
  const DamagedRecord damaged{true, "g", why};
  const auto all = a_->world->start(a_->coordinator().damage(10));
  EXPECT_THAT(all->value().records, ElementsAre(damaged));
  const auto after = a_->world->start(a_->coordinator().damage(10, "g"));
  EXPECT_THAT(after->value().records, IsEmpty());
  const std::vector<std::string>& warnings = a_->world->observer().warnings;
  EXPECT_THAT(warnings, ElementsAre(StartsWith("g: " + why)));
}

TEST_F(EngineSharedInspect, ADamagedTransactionThatIsAskedForIsListedUntilItIsMended) {
  Transaction trans = sample_saga("g");
  trans.create_time = clock_.wall_now();
  trans.waits = true;
  trans.next_cron_time = clock_.wall_now() + std::chrono::hours(1);
  trans.custom_data = "{";
  ASSERT_EQ(error_of(a_->world->start(a_->store.commit(create(trans)))), "");
  EXPECT_EQ(a_->coordinator().damaged_count(), 0U);
  EXPECT_THAT(inspect(*a_).explanation, StartsWith("transaction 'g' is damaged: custom_data"));
  EXPECT_EQ(a_->coordinator().damaged_count(), 1U);
  EXPECT_EQ(a_->coordinator().unreadable_count(), 0U);  // Lists have it, and counts count it.
  TransDelta mended;
  mended.custom_data = "";
  const auto update_of_hand = update("g", trans.status, std::move(mended));
  ASSERT_EQ(error_of(a_->world->start(a_->store.commit(update_of_hand))), "");
  inspect(*a_);
  EXPECT_EQ(a_->coordinator().damaged_count(), 0U);
}

}  // namespace
}  // namespace concerto::test
