// Actions of operators on many transactions where several coordinators share the store.

#include <concerto/engine/bulk_actions.hpp>

#include "bulk_fixture.hpp"
#include "shared_fixture.hpp"

namespace concerto::test {
namespace {

using testing::SizeIs;
using State = BulkJob::State;

/// How many handlers run before a coordinator is killed.
class SharedBulkActions : public SharedFixture, public testing::WithParamInterface<std::size_t> {
 protected:
  std::unique_ptr<BulkActions> bulk_of(SharedNode& node) {
    return std::make_unique<BulkActions>(node.coordinator(), node.store, clock_,
                                         node.world->executor(), node.world->timers(),
                                         node.world->random());
  }
};

TEST_P(SharedBulkActions, AnotherCoordinatorTakesTheJobOfOneThatIsKilled) {
  auto of_a = bulk_of(*a_);
  a_branches_.reply("action 01", Outcome::error);
  submit(*a_, make_request("g", "saga", 1));
  const auto begun = a_->world->start(of_a->begin(request_of(BulkAction::stop)));
  const std::string id = begun->value().value().id;
  of_a->start();
  a_->world->run_some(GetParam());
  static auto* graveyard = new std::vector<std::unique_ptr<BulkActions>>();
  graveyard->push_back(std::move(of_a));
  kill(*a_);
  auto of_b = bulk_of(*b_);
  of_b->start();
  advance(seconds(60));
  const auto jobs = b_->world->start(of_b->jobs(id, 10))->value().value();
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0].state, State::done);
  EXPECT_EQ(stored().status, TransStatus::failed);
  asio::co_spawn(b_->world->executor(), of_b->stop(), asio::detached);
  advance(seconds(5));
}

class SharedOwners : public SharedBulkActions {};

TEST_F(SharedOwners, AJobWaitsWhileOthersWouldWaitBehindItsChanges) {
  a_branches_.reply("action 01", Outcome::error);
  submit(*a_, make_request("g", "saga", 1));
  auto of_a = bulk_of(*a_);
  const auto begun = a_->world->start(of_a->begin(request_of(BulkAction::retry)));
  a_->store.queued = 5'000;
  of_a->start();
  advance(seconds(3));
  const auto job = [&] {
    return a_->world->start(of_a->jobs(begun->value().value().id, 1))->value().value().at(0);
  };
  EXPECT_EQ(job().state, State::running);
  EXPECT_THAT(job().trouble, HasSubstr("queue of the store"));
  EXPECT_EQ(a_branches_.calls.size(), 1U);
  a_->store.queued = 4'000;
  advance(seconds(1));
  EXPECT_EQ(job().state, State::done);
  EXPECT_EQ(job().trouble, "");
  EXPECT_EQ(stored().status, TransStatus::succeed);
  asio::co_spawn(a_->world->executor(), of_a->stop(), asio::detached);
  advance(seconds(5));
}

TEST_F(SharedOwners, AJobThatIsLongAtAPageStaysWhereItIs) {
  for (auto* branches : {&a_branches_, &b_branches_}) {
    for (int i = 0; i < 5; ++i) branches->reply("action 01", Outcome::error);
  }
  submit(*a_, make_request("g", "saga", 1));
  auto of_a = bulk_of(*a_);
  auto of_b = bulk_of(*b_);
  const auto begun = a_->world->start(of_a->begin(request_of(BulkAction::stop)));
  a_->store.queued = 5'000;
  of_a->start();
  advance(seconds(1));
  of_b->start();
  advance(seconds(60));
  const auto shown = [&] {
    return b_->world->start(of_b->jobs(begun->value().value().id, 1))->value().value().at(0);
  };
  EXPECT_EQ(shown().state, State::running);
  EXPECT_THAT(shown().trouble, HasSubstr("queue of the store"));
  EXPECT_EQ(shown().done, 0U);
  a_->store.queued = 0;
  advance(seconds(1));
  EXPECT_EQ(shown().state, State::done);
  EXPECT_EQ(shown().done, 1U);
  EXPECT_EQ(shown().failed, 0U);
  for (const auto* bulk : {&of_a, &of_b}) {
    asio::co_spawn((bulk == &of_a ? a_ : b_)->world->executor(), (*bulk)->stop(), asio::detached);
  }
  advance(seconds(5));
}

TEST_F(SharedOwners, ACancelledJobWaitsForTheStoreWithoutHaste) {
  a_branches_.reply("action 01", Outcome::error);
  submit(*a_, make_request("g", "saga", 1));
  auto of_a = bulk_of(*a_);
  const auto begun = a_->world->start(of_a->begin(request_of(BulkAction::stop)));
  a_->store.queued = 5'000;
  of_a->start();
  advance(seconds(1));
  a_->store.hold();
  a_->store.queued = 0;
  advance(std::chrono::milliseconds(50));  // It acts, and the store is silent.
  a_->world->start(of_a->cancel(begun->value().value().id));
  const SteadyTime before = clock_.steady_now();
  advance(seconds(3));  // This does not end if the job looks again and again.
  EXPECT_EQ(clock_.steady_now(), before + seconds(3));
  a_->store.release();
  asio::co_spawn(a_->world->executor(), of_a->stop(), asio::detached);
  advance(seconds(15));
}

TEST_F(SharedOwners, TheNextPageIsListedWhileAJobActsOnOne) {
  constexpr int in_a_page = 1'000;
  auto request = make_request("", "saga", 1);
  request.options.wait_result = false;
  for (int i = 0; i <= in_a_page; ++i) {
    a_branches_.reply("action 01", Outcome::error);
    request.gid = Gid("g" + std::to_string(i));
    submit(*a_, request);
  }
  auto of_a = bulk_of(*a_);
  const auto begun = a_->world->start(of_a->begin(request_of(BulkAction::stop)));
  a_->store.queued = 5'000;
  of_a->start();
  advance(seconds(1));
  EXPECT_EQ(a_->store.lists, 2U);
  a_->store.queued = 0;
  advance(seconds(1));
  EXPECT_EQ(a_->store.lists, 2U);
  const auto ended = a_->world->start(of_a->jobs(begun->value().value().id, 1))->value().value();
  EXPECT_EQ(ended.at(0).done, in_a_page + 1U);
  asio::co_spawn(a_->world->executor(), of_a->stop(), asio::detached);
  advance(seconds(5));
}

TEST_F(SharedOwners, AreCountedAndSelected) {
  auto of_b = bulk_of(*b_);
  for (const char* gid : {"r1", "r2"}) {
    a_branches_.reply("action 01", Outcome::error);
    submit(*a_, make_request(gid, "saga", 1));
  }
  a_branches_.hold("action 01");
  submit(*a_, make_request("held", "saga", 1));
  const BulkCounts counts =
      b_->world->start(of_b->count({}, BulkCountBy::owner, 10))->value().value();
  ASSERT_THAT(counts.groups, SizeIs(2));
  EXPECT_EQ(counts.groups[0].value, no_owner);
  EXPECT_EQ(counts.groups[0].count, 2U);
  EXPECT_EQ(counts.groups[1].value, a_->store.node());
  BulkRequest request = request_of(BulkAction::stop);
  for (const BulkCount& group : counts.groups) {
    request.selection.owner = group.value;
    const auto preview = b_->world->start(of_b->preview(request))->value().value();
    EXPECT_EQ(preview.matched, group.count);
  }
  request.selection.owner = "cc-somebody";
  EXPECT_EQ(b_->world->start(of_b->preview(request))->value().value().matched, 0U);
}

INSTANTIATE_TEST_SUITE_P(Handlers, SharedBulkActions,
                         testing::Values(0U, 2U, 4U, 6U, 8U, 10U, 14U, 20U, 30U, 60U),
                         [](const auto& row) { return std::to_string(row.param); });

}  // namespace
}  // namespace concerto::test
