// What an operator does when many transactions are stuck.

#include "engine_fixture.hpp"
#include "reset_rounds.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {
namespace {

class EngineOperator : public EngineFixture {
 protected:
  /// Submits sagas whose first call ends in an error, now and `more` times after that.
  void submit_stuck(int count, int more) {
    for (int i = 0; i < count; ++i) {
      branches_->reply("action 01", Outcome::error, "refused");
      submit(make_request("stuck" + std::to_string(i), "saga", 1));
    }
    for (int i = 0; i < count * more; ++i) {
      branches_->reply("action 01", Outcome::error, "refused");
    }
  }

  Coordinator::Reset reset_all(std::size_t limit) {
    const auto reset = world_->start(world_->coordinator().reset_cron_time(seconds(0), limit));
    return reset->value().value();
  }

  std::size_t attempts(const std::string& gid) {
    const auto found = world_->start(world_->coordinator().inspect(Gid(gid)));
    return found->value().value().value().attempts.size();
  }
};

TEST_F(EngineOperator, ResetsReachEveryStuckTransactionOnce) {
  constexpr int count = 250;
  submit_stuck(count, 2);
  Coordinator::Reset last;
  std::vector<std::size_t> counts;
  do {
    last = reset_all(100);
    counts.push_back(last.count);
  } while (last.has_remaining && counts.size() < 10);
  EXPECT_THAT(counts, ElementsAre(100U, 100U, 50U));
  for (int i = 0; i < count; ++i) EXPECT_EQ(attempts("stuck" + std::to_string(i)), 2U) << i;
  // All transactions wait again, so the next request begins a new round.
  last = reset_all(100);
  EXPECT_EQ(last.count, 100U);
  EXPECT_TRUE(last.has_remaining);
}

TEST_F(EngineOperator, AResetOfAllHasNothingRemaining) {
  submit_stuck(5, 1);
  const Coordinator::Reset reset = reset_all(5);
  EXPECT_EQ(reset.count, 5U);
  EXPECT_FALSE(reset.has_remaining);
}

TEST_F(EngineOperator, AResetPassesOverATransactionThatCannotBeRead) {
  Transaction damaged = sample_saga("damaged");
  damaged.custom_data = "{";
  damaged.options.timeout_to_fail = seconds(0);
  damaged.waits = true;
  damaged.next_cron_interval = seconds(600);
  damaged.next_cron_time = clock_.wall_now() + seconds(600);
  ASSERT_EQ(error_of(world_->start(store_.commit(create(damaged)))), "");
  submit_stuck(5, 0);
  restart();
  const Coordinator::Reset reset = reset_all(100);
  EXPECT_EQ(reset.count, 5U);
  EXPECT_FALSE(reset.has_remaining);
}

/// Resets all transactions, in as many requests as that takes, while another caller resets those
/// that wait for long.
Task<std::size_t> reset_all_beside_another(Coordinator& coordinator) {
  const Executor here = co_await asio::this_coro::executor;
  asio::co_spawn(here, coordinator.reset_cron_time(std::chrono::hours(1), 1), asio::detached);
  std::size_t count = 0;
  for (bool has_remaining = true; has_remaining;) {
    const auto reset = co_await coordinator.reset_cron_time(seconds(0), 10'000);
    count += reset.value().count;
    has_remaining = reset.value().has_remaining;
  }
  co_return count;
}

TEST_F(EngineOperator, ARoundMissesNoTransactionWhileAnotherRoundRuns) {
  constexpr int transactions = 5'000;  // more than one step visits
  submit_stuck(transactions, 1);
  const auto count = world_->start(reset_all_beside_another(world_->coordinator()));
  EXPECT_GE(count->value(), std::size_t{transactions});
}

TEST_F(EngineOperator, IsToldOnceOfEveryTransactionThatEnds) {
  submit(make_request("good", "saga", 1));
  branches_->reply("action 01", Outcome::failure, "no money");
  submit(make_request("undone", "saga", 1));
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("stopped", "saga", 1));
  force_stop("stopped");
  force_stop("stopped");  // Refused.
  prepare(make_request("dropped", "msg", 1));
  abort(make_request("dropped", "msg", 1));
  EXPECT_THAT(world_->observer().ended,
              ElementsAre("good succeed", "undone failed", "stopped failed", "dropped failed"));
}

/// The searches of an operator when services are down.
class EngineTroubles : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    submit(saga("good"));
    branches_->reply("action 01", Outcome::error, "connection refused");
    submit(saga("first"));
    branches_->reply("action 02", Outcome::error, "no disk");
    submit(saga("second"));
    branches_->reply("action 02", Outcome::failure, "no money");
    submit(saga("failed"));
    branches_->reply("action 02", Outcome::failure, "no money");
    branches_->reply("compensate 01", Outcome::error, "no disk");
    submit(saga("back"));
    prepare(make_request("waits", "tcc", 0));
  }

  static TransRequest saga(const std::string& gid) {
    auto request = make_request(gid, "saga", 2);
    // Each saga has services of its own: a service that answers a saga wakes the others that wait
    // for it.
    const std::string one = "http://one." + gid;
    const std::string two = "http://two." + gid;
    request.steps = {{one + "/a", one + "/c"}, {two + "/a", two + "/c"}};
    return request;
  }

  std::string list(const TroubleFilter& trouble, StatusSet statuses = {}) {
    ListFilter filter;
    filter.statuses = statuses;
    return list_filtered(filter, trouble);
  }
  std::string list_filtered(const ListFilter& filter, const TroubleFilter& trouble) {
    const auto page = world_->start(world_->coordinator().list(filter, "", 100, trouble));
    std::string gids;
    for (const Transaction& trans : page->value().value().transactions) {
      gids += (gids.empty() ? "" : " ") + trans.gid.str();
    }
    return gids;
  }
};

TEST_F(EngineTroubles, AreFoundByTheUrlAtWhichTheyAreStuckOrHaveFailed) {
  EXPECT_EQ(list({"http://one", ""}), "back first");
  EXPECT_EQ(list({"http://two", ""}), "failed second");
  EXPECT_EQ(list({"/c", ""}), "back");
  EXPECT_EQ(list({"three", ""}), "");
  EXPECT_EQ(list({"http", ""}, {TransStatus::failed}), "failed");
  EXPECT_EQ(list({"http", ""}, {TransStatus::succeed}), "");
  restart_after_crash();
  EXPECT_EQ(list({"http://two", ""}, {TransStatus::failed}), "failed");
}

TEST_F(EngineTroubles, AreFoundByTheirLastError) {
  EXPECT_EQ(list({"", "refused"}), "first");
  EXPECT_EQ(list({"", "no disk"}), "back second");
  EXPECT_EQ(list({"", "no money"}), "back failed");
  EXPECT_EQ(list({"two", "no disk"}), "second");
}

TEST_F(EngineTroubles, AreFoundOnlyIfTheFilterOfTheListAcceptsThem) {
  ListFilter filter;
  filter.accepts = [](const Transaction& trans) { return trans.gid != Gid("back"); };
  EXPECT_EQ(list_filtered(filter, {"http://one", ""}), "first");
}

TEST_F(EngineTroubles, AreNotFoundByAPassword) {
  branches_->reply("action 01", Outcome::error, "connection refused");
  auto request = saga("secret");
  request.steps[0].action = "http://user:s3cret@four/a";
  submit(std::move(request));
  EXPECT_EQ(list({"@four/a", ""}), "secret");
  EXPECT_EQ(list({"s3cret", ""}), "");
}

TEST_F(EngineTroubles, AreFoundByTheirUrlAfterARestart) {
  restart_after_crash();
  EXPECT_EQ(list({"http://one", ""}, {TransStatus::submitted, TransStatus::aborting}),
            "back first");
  EXPECT_EQ(list({"http://two", ""}, {TransStatus::submitted}), "second");
}

TEST(ResetRounds, JoinRequestsWithTheSameBeyondWithinAMinute) {
  constexpr SteadyTime start{};
  ResetRounds rounds;
  const std::uint64_t first = rounds.join(seconds(5), start);
  EXPECT_EQ(rounds.join(seconds(5), start + seconds(60)), first);
  EXPECT_EQ(rounds.join(seconds(5), start + seconds(120)), first);
  const std::uint64_t late = rounds.join(seconds(5), start + seconds(181));
  EXPECT_NE(late, first);
  const std::uint64_t other = rounds.join(seconds(6), start + seconds(181));
  EXPECT_NE(other, late);
  rounds.end(late);  // This round is over already; the other one goes on.
  EXPECT_EQ(rounds.join(seconds(6), start + seconds(182)), other);
  rounds.end(other);
  EXPECT_NE(rounds.join(seconds(6), start + seconds(183)), other);
}

}  // namespace
}  // namespace concerto::test
