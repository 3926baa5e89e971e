// Actions of operators on many transactions.

#include <concerto/engine/bulk_actions.hpp>

#include "bulk/job_record.hpp"
#include "bulk_fixture.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;
using State = BulkJob::State;

TEST_F(BulkActionsTest, AJobMeetsWhatItsPreviewSaid) {
  submit(make_request("fine", "saga", 1));
  stuck(30);
  const auto preview =
      world_->start(bulk_->preview(request_of(BulkAction::retry, "a1")))->value().value();
  EXPECT_EQ(preview.matched, 30U);
  EXPECT_THAT(preview.sample, SizeIs(20));
  EXPECT_THAT(preview.urls.at(0), ElementsAre("a1"));
  const BulkJob begun = begin(request_of(BulkAction::retry, "a1"));
  EXPECT_EQ(begun.state, State::running);
  const BulkJob done = job(begun.id);
  EXPECT_EQ(done.state, State::done);
  EXPECT_EQ(done.done, preview.matched);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(status("g" + std::to_string(i)), TransStatus::succeed);
}

TEST_F(BulkActionsTest, APreviewOfNamedOnesTellsWhichAreRefused) {
  submit(make_request("fine", "saga", 1));
  stuck(2);
  const auto named = [this](BulkAction action) {
    const std::vector<Gid> gids{Gid("g0"), Gid("nobody"), Gid("fine"), Gid("g1"), Gid("g0")};
    return world_->start(preview_named(world_->coordinator(), request_of(action), gids))
        ->value()
        .value();
  };
  const BulkPreview preview = named(BulkAction::retry);
  EXPECT_EQ(preview.matched, 2U);
  EXPECT_EQ(preview.refused, 2U);
  EXPECT_EQ(preview.failures.at(0).gid, Gid("nobody"));
  EXPECT_THAT(preview.failures.at(1).text, HasSubstr("'succeed', it cannot be retried"));
  EXPECT_THAT(named(BulkAction::stop).failures.at(1).text, HasSubstr("status: succeed"));
  EXPECT_THAT(named(BulkAction::skip).failures.at(1).text, HasSubstr("no branch can be skipped"));
  ASSERT_THAT(preview.sample, SizeIs(2));
  EXPECT_EQ(preview.sample[1].gid, Gid("g1"));
  EXPECT_THAT(preview.urls.at(1), ElementsAre("a1"));
}

TEST_F(BulkActionsTest, OnlyTheSelectedOnesAreMet) {
  stuck(3);
  clock_.advance(seconds(10));
  stuck(2, "young");
  BulkRequest old = request_of(BulkAction::stop);
  old.selection.created_to = clock_.wall_now() - seconds(5);
  EXPECT_EQ(job(begin(old).id).done, 3U);
  EXPECT_EQ(status("g0"), TransStatus::failed);
  EXPECT_EQ(status("young0"), TransStatus::submitted);
  EXPECT_EQ(job(begin(request_of(BulkAction::stop, "elsewhere")).id).done, 0U);
  EXPECT_EQ(status("young0"), TransStatus::submitted);
}

TEST_F(BulkActionsTest, TheLimitTakesTheNewest) {
  stuck(5);
  BulkRequest request = request_of(BulkAction::stop);
  request.limit = 2;
  EXPECT_EQ(world_->start(bulk_->preview(request))->value().value().matched, 2U);
  EXPECT_EQ(job(begin(request).id).done, 2U);
  EXPECT_EQ(status("g4"), TransStatus::failed);
  EXPECT_EQ(status("g2"), TransStatus::submitted);
}

TEST_F(BulkActionsTest, RefusedActionsAreCountedAndTold) {
  stuck(25);
  BulkRequest request = request_of(BulkAction::skip);
  request.branch = {"07", "action"};
  const BulkPreview preview = world_->start(bulk_->preview(request))->value().value();
  EXPECT_EQ(preview.refused, 25U);
  EXPECT_EQ(preview.matched, 0U);
  const BulkJob ended = job(begin(request).id);
  EXPECT_EQ(ended.state, State::done);
  EXPECT_EQ(ended.failed, 25U);
  ASSERT_THAT(ended.failures, SizeIs(BulkJob::failures_max));
  EXPECT_THAT(ended.failures[0].text, HasSubstr("branch 07 action"));
  EXPECT_EQ(preview.failures, ended.failures);
}

TEST_F(BulkActionsTest, SomeAreDoneAndSomeRefusedAsThePreviewSaid) {
  branches_->reply("action 02", Outcome::error);
  submit(make_request("long", "saga", 2));
  stuck(3);
  BulkRequest request = request_of(BulkAction::skip);
  request.branch = {"01", "action"};
  expect_as_previewed(request, 3, 1);
}

/// An action on a transaction that nobody can take is refused, and so says the preview.
class BulkDamage : public BulkActionsTest, public testing::WithParamInterface<BulkAction> {};

TEST_P(BulkDamage, IsRefusedAsThePreviewSaid) {
  Transaction custom = sample_saga("custom");
  custom.custom_data = "{";
  Transaction rows = sample_saga("rows");
  rows.branches.pop_back();
  for (const Transaction& each : {custom, rows}) {
    ASSERT_EQ(error_of(world_->start(store_.commit(create(each)))), "");
  }
  stuck(3);
  BulkRequest request = request_of(GetParam());
  request.branch = {"01", "action"};
  const std::vector<Gid> gids{Gid("custom"), Gid("rows")};
  const BulkPreview of_named =
      world_->start(preview_named(world_->coordinator(), request, gids))->value().value();
  EXPECT_EQ(of_named.refused, 2U);
  expect_as_previewed(request, 3, 2);
}

INSTANTIATE_TEST_SUITE_P(OfActions, BulkDamage,
                         testing::Values(BulkAction::retry, BulkAction::stop, BulkAction::skip));

TEST_F(BulkActionsTest, ThePreviewOfAPauseIsWhatWouldWait) {
  submit(make_request("fine", "saga", 1));
  stuck(3);
  prepare(make_request("m", "msg", 1));
  const auto held = [this](PauseKind kind, std::string value) {
    return world_->start(bulk_->preview_pause({kind, std::move(value), {}, {}, {}}))
        ->value()
        .value()
        .matched;
  };
  EXPECT_EQ(held(PauseKind::target, "a1"), 3U);
  EXPECT_EQ(held(PauseKind::target, "elsewhere"), 0U);
  EXPECT_EQ(held(PauseKind::mode, "saga"), 3U);
  EXPECT_EQ(held(PauseKind::mode, "msg"), 0U) << "a prepared message calls nobody";
  const std::vector<Pause> pauses{{PauseKind::mode, "tcc", {}, {}, {}},
                                  {PauseKind::mode, "saga", {}, {}, {}}};
  const PauseCounts counts = world_->start(bulk_->waiting_for(pauses))->value().value();
  EXPECT_THAT(counts.waiting, ElementsAre(0U, 3U));
  EXPECT_TRUE(counts.is_complete);
  TransRequest asked = make_request("asked", "msg", 1);
  asked.query_prepared = "q";
  branches_->reply("msg 00", Outcome::error, "no answer");
  prepare(std::move(asked));
  EXPECT_EQ(held(PauseKind::target, "q"), 0U);
  world_->advance(seconds(36));
  EXPECT_EQ(held(PauseKind::target, "q"), 1U);
}

Task<void> keep(std::vector<BulkJob>& all, BulkJob job) {
  all.push_back(std::move(job));
  co_return;
}

TEST_F(BulkActionsTest, TheEndOfAJobIsToldOnce) {
  std::vector<BulkJob> ended;
  bulk_->set_on_end([&ended](BulkJob job) { return keep(ended, std::move(job)); });
  stuck(2);
  const auto begun =
      world_->start(bulk_->begin(request_of(BulkAction::stop), {}, "audit-1"))->value().value();
  EXPECT_EQ(job(begun.id).state, State::done);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].audit_id, "audit-1");
  EXPECT_EQ(ended[0].done, 2U);
}

TEST_F(BulkActionsTest, RequestsThatNobodyCanMeanAreRefused) {
  BulkRequest open_skip = request_of(BulkAction::skip);
  open_skip.branch.branch_id = "01";
  BulkRequest finished = request_of(BulkAction::stop);
  finished.selection.statuses = {TransStatus::failed};
  BulkRequest none = request_of(BulkAction::retry);
  none.limit = 0;
  for (const BulkRequest& request : {open_skip, finished, none}) {
    EXPECT_EQ(code_of(world_->start(bulk_->begin(request))), Errc::invalid_request);
    EXPECT_EQ(code_of(world_->start(bulk_->preview(request))), Errc::invalid_request);
  }
  EXPECT_THAT(world_->start(bulk_->jobs("", 10))->value().value(), IsEmpty());
}

TEST_F(BulkActionsTest, AnInterruptedJobGoesOnAfterAKill) {
  stuck(1'500);
  const std::string id = begin_and_hold();
  store_.release_commits();
  world_->run_some(300);
  static auto* graveyard = new std::vector<std::unique_ptr<BulkActions>>();
  graveyard->push_back(std::move(bulk_));
  restart_after_crash();
  make_bulk();
  const std::size_t left = count(BulkCountBy::status).total;
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, 1'500U);
  EXPECT_EQ(job(id).state, State::running);
  bulk_->start();
  world_->run();
  EXPECT_EQ(job(id).state, State::done);
  EXPECT_EQ(count(BulkCountBy::status).total, 0U);
}

TEST_F(BulkActionsTest, ACancelledJobLeavesTheRestAlone) {
  stuck(1'500);
  const std::string id = begin_and_hold();
  EXPECT_EQ(world_->start(bulk_->cancel(id))->value().value().state, State::cancelled);
  store_.release_commits();
  world_->run();
  EXPECT_EQ(job(id).state, State::cancelled);
  EXPECT_LT(job(id).done, 100U);
  EXPECT_EQ(count(BulkCountBy::status).total, 1'500U - job(id).done);
}

TEST_F(BulkActionsTest, AJobThatWaitsForItsTurnIsCancelled) {
  stuck(1);
  make_bulk();  // Nobody carries out jobs.
  const std::string id = begin(request_of(BulkAction::stop)).id;
  EXPECT_EQ(world_->start(bulk_->cancel(id))->value().value().state, State::cancelled);
  bulk_->start();
  world_->run();
  EXPECT_EQ(job(id).state, State::cancelled);
  EXPECT_EQ(status("g0"), TransStatus::submitted);
  EXPECT_EQ(code_of(world_->start(bulk_->cancel("none"))), EngineErrc::key_not_found);
}

TEST_F(BulkActionsTest, AJobWhoseListCannotBeReadFails) {
  BulkJob broken;
  broken.id = "1-broken";
  broken.position = "no position of a list";
  KvRecord record;
  record.cat = "concerto-job";
  record.key = broken.id;
  record.value = record_of(broken);
  world_->start(store_.create_kv(std::move(record)));
  world_->advance(seconds(10));
  EXPECT_EQ(job(broken.id).state, State::failed);
  EXPECT_NE(job(broken.id).trouble, "");
  stuck(1);
  EXPECT_EQ(job(begin(request_of(BulkAction::stop)).id).done, 1U) << "the next job has its turn";
}

TEST_F(BulkActionsTest, CountsAreByStatusTypeTargetAndAge) {
  stuck(3);
  clock_.advance(std::chrono::minutes(2));
  prepare(make_request("m", "msg", 1));
  const auto groups = [this](BulkCountBy by) {
    std::vector<std::string> texts;
    for (const BulkCount& group : count(by).groups) {
      texts.push_back(group.value + " " + std::to_string(group.count));
    }
    return texts;
  };
  EXPECT_THAT(groups(BulkCountBy::status), ElementsAre("submitted 3", "prepared 1"));
  EXPECT_THAT(groups(BulkCountBy::type), ElementsAre("saga 3", "msg 1"));
  EXPECT_THAT(groups(BulkCountBy::target), ElementsAre("a1 3", "(none) 1"));
  EXPECT_THAT(groups(BulkCountBy::age), ElementsAre("1 to 10 minutes 3", "under 1 minute 1"));
  EXPECT_THAT(groups(BulkCountBy::error), ElementsAre("no disk 3", " 1"));
  EXPECT_EQ(count(BulkCountBy::status).total, 4U);
  EXPECT_TRUE(count(BulkCountBy::status).is_complete);
  EXPECT_FALSE(world_->start(bulk_->count({}, BulkCountBy::status, 1))->value()->is_complete);
}

/// A hanging service is one trouble, although each call has its own URL.
TEST_F(BulkActionsTest, CountsByTargetAndErrorHaveOneGroupForAService) {
  for (const char* gid : {"g-0", "g-1", "g-2"}) {
    TransRequest request = make_request(gid, "saga", 1);
    request.steps.front().action = std::string("http://h/take?order=") + gid;
    branches_->reply("action 01", Outcome::error,
                     "answer of http://h/take?branch_id=01&gid=" + std::string(gid) +
                         "&op=action: deadline exceeded");
    submit(std::move(request));
  }
  for (const auto by : {BulkCountBy::target, BulkCountBy::error}) {
    const BulkCounts counts = count(by);
    ASSERT_THAT(counts.groups, testing::SizeIs(1));
    EXPECT_EQ(counts.groups[0].count, 3U);
  }
  const std::string error = count(BulkCountBy::error).groups[0].value;
  EXPECT_EQ(error, "answer of http://h/take: deadline exceeded");
  EXPECT_EQ(count(BulkCountBy::target).groups[0].value, "http://h/take");
  BulkRequest by_error = request_of(BulkAction::retry);
  by_error.selection.trouble.error = error;
  EXPECT_EQ(world_->start(bulk_->preview(by_error))->value()->matched, 3U);
}

TEST_F(BulkActionsTest, AStoreOfOneCoordinatorHasNoOwners) {
  BulkRequest request = request_of(BulkAction::stop);
  request.selection.owner = "nobody";
  const auto refused = HasSubstr("owner: transactions have owners only in a store");
  EXPECT_THAT(error_of(world_->start(bulk_->preview(request))), refused);
  EXPECT_THAT(error_of(world_->start(bulk_->begin(request))), refused);
  EXPECT_THAT(error_of(world_->start(bulk_->count({}, BulkCountBy::owner, 10))), refused);
  EXPECT_THAT(error_of(world_->start(bulk_->count(request.selection, BulkCountBy::age, 10))),
              refused);
}

TEST_F(BulkActionsTest, ATopicSelectsTheMessagesOfItsSubscribers) {
  for (const char* url : {"b1", "b2"}) {
    world_->start(world_->coordinator().subscribe("news", url, ""));
  }
  world_->start(world_->coordinator().subscribe("other", "b2", ""));
  branches_->hold("action 01-01");
  TransRequest message = make_request("of-topic", "msg", 1);
  message.steps[0].action = "topic://news";
  submit(std::move(message));
  stuck(2);
  TransRequest alone = make_request("alone", "msg", 1);
  alone.steps[0].action = "elsewhere";
  submit(std::move(alone));
  BulkRequest request = request_of(BulkAction::stop);
  request.selection.topic = "news";
  EXPECT_EQ(world_->start(bulk_->preview(request))->value().value().matched, 1U);
  const auto groups = count(BulkCountBy::topic).groups;
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[0].value, no_topic);
  EXPECT_EQ(groups[0].count, 2U);
  EXPECT_EQ(groups[1].value + groups[2].value, "newsother");
  EXPECT_EQ(job(begin(request).id).done, 1U);
  EXPECT_EQ(status("of-topic"), TransStatus::failed);
  EXPECT_EQ(status("g0"), TransStatus::submitted);
  request.selection.topic = "none";
  EXPECT_THAT(error_of(world_->start(bulk_->preview(request))), HasSubstr("no topic 'none'"));
  EXPECT_THAT(error_of(world_->start(bulk_->begin(request))), HasSubstr("no topic 'none'"));
}

TEST_F(BulkActionsTest, APausedStartBeginsNoStopOfASelection) {
  stop_bulk();
  options_.starts_paused = true;
  restart();
  start_bulk();
  for (const BulkAction action : {BulkAction::stop, BulkAction::skip}) {
    BulkRequest request = request_of(action);
    if (action == BulkAction::skip) request.branch = {"01", "action"};
    EXPECT_THAT(error_of(world_->start(bulk_->begin(request))), HasSubstr("was started paused"));
  }
  EXPECT_EQ(begin(request_of(BulkAction::retry)).state, State::running);
}

TEST_F(BulkActionsTest, OnlyTheLastJobsAreKept) {
  for (std::size_t i = 0; i < BulkActions::jobs_max + 5; ++i) {
    begin(request_of(BulkAction::retry));
    clock_.advance(milliseconds(1));
  }
  const auto jobs = world_->start(bulk_->jobs("", 1'000))->value().value();
  EXPECT_LE(jobs.size(), BulkActions::jobs_max + 1);
  EXPECT_GT(jobs.front().id, jobs.back().id);
}

}  // namespace
}  // namespace concerto::test
