// What operators are told of jobs and retries that do not lead to calls.

#include "bulk_fixture.hpp"

namespace concerto::test {
namespace {

using testing::Contains;
using testing::SizeIs;
using State = BulkJob::State;

class BulkAnswers : public BulkActionsTest {
 protected:
  BulkPreview preview(BulkRequest request) {
    return world_->start(bulk_->preview(std::move(request)))->value().value();
  }
  BulkPreview preview_of(const std::vector<Gid>& gids, BulkAction action) {
    return world_->start(preview_named(world_->coordinator(), request_of(action), gids))
        ->value()
        .value();
  }
  std::vector<BulkJob> jobs(const std::string& id = {}) {
    return world_->start(bulk_->jobs(id, 10))->value().value();
  }
  void store_record(const std::string& key, const std::string& value) {
    KvRecord record;
    record.cat = "concerto-job";
    record.key = key;
    record.value = value;
    record.create_time = record.update_time = clock_.wall_now();
    const auto created = world_->start(store_.create_kv(record));
    ASSERT_TRUE(created->value());
  }
};

TEST_F(BulkAnswers, APreviewOfARetrySaysHowManyAPauseHoldsUp) {
  world_->start(world_->coordinator().pause({PauseKind::mode, "saga", "repair", {}, {}}));
  for (const char* gid : {"g0", "g1", "g2"}) submit(make_request(gid, "saga", 1));
  const BulkPreview retry = preview(request_of(BulkAction::retry));
  EXPECT_EQ(retry.held, 3U);
  EXPECT_EQ(retry.matched, 3U);
  EXPECT_FALSE(retry.is_paused);
  EXPECT_EQ(preview(request_of(BulkAction::stop)).held, 0U);
  EXPECT_EQ(preview_of({Gid("g0"), Gid("g1"), Gid("nobody")}, BulkAction::retry).held, 2U);
  EXPECT_EQ(preview_of({Gid("g0")}, BulkAction::stop).held, 0U);
  world_->start(world_->coordinator().resume(PauseKind::mode, "saga"));
  EXPECT_EQ(preview(request_of(BulkAction::retry)).held, 0U);
  EXPECT_EQ(preview(request_of(BulkAction::retry)).matched, 3U);
}

TEST_F(BulkAnswers, APausedStartIsTheTroubleOfAJobThatWaits) {
  stuck(1);
  stop_bulk();
  options_.starts_paused = true;
  restart();
  make_bulk();  // which a server starts after the begin
  EXPECT_TRUE(preview(request_of(BulkAction::retry)).is_paused);
  EXPECT_TRUE(preview_of({Gid("g0")}, BulkAction::retry).is_paused);
  const BulkJob begun = begin(request_of(BulkAction::retry));
  EXPECT_THAT(begun.trouble, HasSubstr("was started paused"));
  EXPECT_THAT(job(begun.id).trouble, HasSubstr("waits for its begin"));
  world_->start(world_->coordinator().begin());
  EXPECT_EQ(job(begun.id).trouble, "");
  bulk_->start();
  world_->run();
  EXPECT_EQ(job(begun.id).state, BulkJob::State::done);
  EXPECT_FALSE(preview(request_of(BulkAction::retry)).is_paused);
}

/// The store is silent for longer than a request waits, and then does all that it was asked for.
class SilentStore : public BulkAnswers, public testing::WithParamInterface<BulkAction> {};

TEST_P(SilentStore, WhatAnAttemptWithoutAnAnswerDidIsDoneAndNotRefused) {
  stuck(30);
  BulkRequest request = request_of(GetParam());
  request.branch = {"01", "action"};
  stop_bulk();
  make_bulk();
  const std::string id = begin(request).id;
  bulk_->start();
  world_->run_some(1);  // It takes the job.
  store_.hold_commits();
  world_->advance(seconds(15));
  EXPECT_THAT(job(id).trouble, HasSubstr("in time"));
  store_.release_commits();
  world_->advance(seconds(15));
  EXPECT_EQ(job(id).state, State::done);
  EXPECT_EQ(job(id).done, 30U);
  EXPECT_THAT(job(id).failures, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Actions, SilentStore,
                         testing::Values(BulkAction::retry, BulkAction::stop, BulkAction::skip));

TEST_F(BulkAnswers, TheLogNamesTheJobAndItsCaller) {
  stuck(1);
  branches_->reply("action 01", Outcome::error, "no disk");  // again
  const std::string alice = "alice";
  RequestContext context;
  context.caller = CallerId(alice);
  const BulkJob known =
      world_->start(bulk_->begin(request_of(BulkAction::retry), context))->value().value();
  const BulkJob unknown = begin(request_of(BulkAction::stop));
  world_->run();
  const auto& lines = world_->observer().lines;
  EXPECT_THAT(lines, Contains(HasSubstr("try now, asked by job " + known.id + " of alice")));
  EXPECT_THAT(lines, Contains(testing::EndsWith(", asked by job " + unknown.id)));
}

TEST_F(BulkAnswers, APartThatIsMetAgainAfterACrashIsCountedOnce) {
  stuck(3);
  stop_bulk();
  store_record("1-half", R"({"id":"1-half","action":"stop","state":"running","done":12,)"
                         R"("failed":5,"part_done":2,"part_failed":1})");
  start_bulk();
  world_->advance(seconds(5));
  EXPECT_EQ(job("1-half").state, State::done);
  EXPECT_EQ(job("1-half").done, 13U);
  EXPECT_EQ(job("1-half").failed, 4U);
}

TEST_F(BulkAnswers, ARecordThatCannotBeReadIsARowWithItsTrouble) {
  stuck(2);
  const std::string sound = begin(request_of(BulkAction::stop)).id;
  stop_bulk();
  store_record("1-half", R"({"id":"1-half","action":"st)");
  store_record("2-newer", R"({"id":"2-newer","action":"fly","state":"running"})");
  store_record("3-other", R"({"id":"4","action":"stop","state":"running"})");
  make_bulk();
  std::vector<std::string> told;
  bulk_->set_on_unreadable([&told](const BulkJob& job) { told.push_back(job.id); });
  bulk_->start();
  world_->advance(seconds(30));
  EXPECT_THAT(told, testing::UnorderedElementsAre("1-half", "2-newer", "3-other"));  // once each
  const auto all = jobs();
  ASSERT_THAT(all, SizeIs(4));
  for (const BulkJob& each : all) {
    const bool is_sound = each.id == sound;
    EXPECT_EQ(each.is_readable, is_sound) << each.id;
    EXPECT_EQ(each.state, is_sound ? BulkJob::State::done : BulkJob::State::failed) << each.id;
    EXPECT_EQ(each.trouble.empty(), is_sound) << each.id;
  }
  EXPECT_THAT(jobs("2-newer").at(0).trouble, HasSubstr("unknown action or state"));
  // Jobs go on.
  stuck(1, "later");
  EXPECT_EQ(job(begin(request_of(BulkAction::stop)).id).done, 1U);
}

}  // namespace
}  // namespace concerto::test
