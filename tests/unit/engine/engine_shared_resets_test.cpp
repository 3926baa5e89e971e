// Resets of many transactions where several coordinators share the store.

#include <concerto/persist/memory_store.hpp>

#include "await_result.hpp"
#include "shared_fixture.hpp"
#include "shared_rounds.hpp"

namespace concerto::test {
namespace {

class EngineSharedResets : public SharedFixture {
 protected:
  /// Sagas of `a_` whose calls always end in an error.
  void submit_stuck(int count) {
    for (ScriptedBranches* branches : {&a_branches_, &b_branches_}) {
      for (int i = 0; i < 100 * count; ++i) {
        branches->reply("action 01", Outcome::error, "refused");
      }
    }
    for (int i = 0; i < count; ++i) {
      gids_.push_back("stuck" + std::to_string(i));
      submit(*a_, make_request(gids_.back(), "saga", 1));
    }
  }
  std::size_t calls() const { return a_branches_.calls.size() + b_branches_.calls.size(); }

  Coordinator::Reset reset_all(SharedNode& node, std::size_t limit) {
    const auto reset = node.world->start(node.coordinator().reset_cron_time(seconds(0), limit));
    advance(milliseconds(10));
    return reset->value().value();
  }
  /// Asks the coordinators in turn until nothing remains, as an operator does behind a load
  /// balancer.
  std::vector<std::size_t> reset_round(std::size_t limit) {
    std::vector<std::size_t> counts;
    for (bool has_remaining = true; has_remaining && counts.size() < 10;) {
      const auto reset = reset_all(counts.size() % 2 == 0 ? *a_ : *b_, limit);
      counts.push_back(reset.count);
      has_remaining = reset.has_remaining;
    }
    return counts;
  }
  std::vector<seconds> intervals() {
    std::vector<seconds> all;
    for (const std::string& gid : gids_) {
      all.push_back(shared_.load(Gid(gid), clock_.wall_now())->next_cron_interval);
    }
    return all;
  }

  std::vector<std::string> gids_;
};

TEST_F(EngineSharedResets, ARoundEndsAlthoughTheTargetIsDead) {
  submit_stuck(25);
  advance(seconds(1));
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = calls();
    EXPECT_THAT(reset_round(10), ElementsAre(10U, 10U, 5U));
    EXPECT_EQ(calls() - before, gids_.size());
  }
}

TEST_F(EngineSharedResets, ARetryCostsOneClaimAndOneChange) {
  submit_stuck(1);
  advance(milliseconds(10));
  const std::size_t claims = a_->store.claims, commits = a_->store.commits, before = calls();
  const auto reset = a_->world->start(a_->coordinator().reset_next_cron_time(Gid(gids_.front())));
  advance(milliseconds(10));
  EXPECT_TRUE(reset->value());
  EXPECT_EQ(calls(), before + 1);
  EXPECT_EQ(a_->store.claims, claims + 1);
  EXPECT_EQ(a_->store.commits, commits + 1) << "with which it goes back to rest";
}

TEST_F(EngineSharedResets, TheIntervalsBeginAnew) {
  submit_stuck(5);
  const seconds after_one_error = intervals().front();
  advance(options_.retry_interval * 12 + seconds(1));
  EXPECT_THAT(intervals(), testing::Each(testing::Gt(after_one_error)));
  EXPECT_EQ(reset_all(*b_, 5).count, 5U);
  EXPECT_THAT(intervals(), testing::Each(after_one_error));
}

TEST_F(EngineSharedResets, PassOverATransactionThatCannotBeRead) {
  submit_stuck(3);
  Transaction unknown = shared_.load(Gid(gids_.front()), clock_.wall_now()).value();
  unknown.gid = Gid("damaged");
  unknown.custom_data = "{";
  unknown.status = TransStatus::prepared;
  unknown.next_cron_time = clock_.wall_now() + std::chrono::hours(2);
  Change change;
  change.what = CreateTrans{&unknown};
  ASSERT_TRUE(shared_.commit("cc-other", std::move(change), clock_.wall_now()));
  advance(seconds(1));
  EXPECT_THAT(reset_round(1), ElementsAre(1U, 1U, 1U));
}

class SharedRoundsTest : public testing::Test {
 protected:
  WallTime join(SharedRounds& rounds, seconds beyond) {
    return await_result(io_, rounds.join(beyond));
  }

  asio::io_context io_{1};
  FakeClock clock_;
  persist::MemoryStore store_;
  SharedRounds a_{store_, clock_};
  SharedRounds b_{store_, clock_};
};

TEST_F(SharedRoundsTest, JoinRequestsOfAllCoordinatorsWithinAMinute) {
  const WallTime first = join(a_, seconds(5));
  EXPECT_EQ(first, clock_.wall_now());
  clock_.advance(seconds(60));
  EXPECT_EQ(join(b_, seconds(5)), first);
  EXPECT_EQ(join(b_, seconds(6)), clock_.wall_now());  // another round
  clock_.advance(seconds(60));
  EXPECT_EQ(join(a_, seconds(5)), first);
  clock_.advance(seconds(61));
  EXPECT_EQ(join(b_, seconds(5)), clock_.wall_now());
}

TEST_F(SharedRoundsTest, EndForAllCoordinators) {
  join(a_, seconds(5));
  EXPECT_TRUE(await_result(io_, b_.end(seconds(5))));
  clock_.advance(seconds(1));
  EXPECT_EQ(join(a_, seconds(5)), clock_.wall_now());
  EXPECT_TRUE(await_result(io_, a_.end(seconds(5))));
  EXPECT_THAT(await_result(io_, store_.find_kv("", "")).value(), IsEmpty());
}

}  // namespace
}  // namespace concerto::test
