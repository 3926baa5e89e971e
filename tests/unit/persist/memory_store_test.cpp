#include <concerto/persist/memory_store.hpp>

#include "store_contract.hpp"

namespace concerto::test {

using persist::MemoryStore;

class MemoryStoreUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         testing::Values(StoreMaker{
                             "memory", [] { return std::make_unique<MemoryStoreUnderTest>(); }}));

class MemoryStoreTest : public testing::Test {
 protected:
  /// Starts a commit and notes its end.
  void start(Change change) {
    asio::co_spawn(io_, commit_later(store_, std::move(change)),
                   [this](auto error, const auto& done) {
                     ASSERT_FALSE(error);
                     results_.push_back(done ? error_code{} : done.error().code);
                   });
    poll();
  }

  void poll() {
    io_.restart();
    io_.poll();
  }

  std::optional<Transaction> load(const std::string& gid) {
    return await_result(io_, store_.load(Gid{gid})).value();
  }

  MemoryStore store_{MemoryStore::Crash::loses_progress};
  asio::io_context io_{1};
  std::vector<error_code> results_;
};

/// Whether others run while a commit waits for its answer.
Task<bool> lets_others_run(Store& store) {
  const Transaction trans = sample_saga("g");
  const Change change = create(trans);
  bool others_ran = false;
  asio::post(co_await asio::this_coro::executor, [&others_ran] { others_ran = true; });
  const Result<> done = co_await store.commit(change);
  const bool ran_meanwhile = done && others_ran;
  co_await asio::post(use_task);
  co_return ran_meanwhile;
}

TEST_F(MemoryStoreTest, AnswersAtOnceOrByAPost) {
  MemoryStore posted{MemoryStore::Crash::keeps_progress, MemoryStore::Answers::posted};
  EXPECT_TRUE(await_result(io_, lets_others_run(posted)));
  EXPECT_FALSE(await_result(io_, lets_others_run(store_)));
}

TEST_F(MemoryStoreTest, HeldCommitsAreInvisibleUntilReleased) {
  const Transaction first = sample_saga("g1"), second = sample_saga("g1");
  store_.hold_commits();
  start(create(first));
  start(create(second));
  EXPECT_EQ(store_.held_commits(), 2U);
  EXPECT_EQ(load("g1"), std::nullopt);
  store_.release_commits(1);
  poll();
  EXPECT_EQ(results_, std::vector<error_code>{error_code{}});
  EXPECT_EQ(load("g1"), first);
  store_.release_commits();
  poll();
  ASSERT_EQ(results_.size(), 2U);
  EXPECT_EQ(results_[1], EngineErrc::gid_exists);
}

TEST_F(MemoryStoreTest, AFailedCommitPoisonsUntilACrash) {
  const Transaction first = sample_saga("g1"), second = sample_saga("g2");
  store_.fail_commit(2, MemoryStore::Failure::applied);
  start(create(first));
  start(create(second));
  start(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 1)));
  ASSERT_EQ(results_.size(), 3U);
  EXPECT_EQ(results_[0], error_code{});
  EXPECT_EQ(results_[1], EngineErrc::store_failed);
  EXPECT_EQ(results_[2], EngineErrc::store_unavailable);
  EXPECT_EQ(load("g2"), second);
  EXPECT_EQ(store_.health().state, StoreHealth::State::failed);
  store_.crash();
  EXPECT_EQ(store_.health().state, StoreHealth::State::serving);
  start(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 1)));
  EXPECT_EQ(results_[3], error_code{});
}

TEST_F(MemoryStoreTest, ListsWhatACrashHasLeft) {
  const Transaction lost = sample_saga("lost"), kept = sample_saga("kept");
  start(create(lost, Durability::progress));
  store_.crash();
  start(create(kept));
  const auto page = await_result(io_, store_.scan_unfinished(0, 10)).value();
  ASSERT_EQ(page.transactions.size(), 1U);
  EXPECT_EQ(page.transactions[0].gid, kept.gid);
  EXPECT_EQ(await_result(io_, store_.list({}, "", 10)).value().transactions.size(), 1U);
}

TEST_F(MemoryStoreTest, ACrashLosesProgressThatNothingDurableFollowed) {
  const Transaction first = sample_saga("g1"), second = sample_saga("g2");
  start(create(first));
  start(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1),
               Durability::progress));
  start(create(second));
  const auto kept = load("g1");
  start(update("g1", TransStatus::submitted, outcome(3, BranchStatus::succeed, 2),
               Durability::progress));
  EXPECT_NE(load("g1"), kept);
  store_.crash();
  EXPECT_EQ(load("g1"), kept);
  EXPECT_EQ(load("g2"), second);
}

TEST_F(MemoryStoreTest, ACrashDropsHeldCommitsWithTheirCoroutines) {
  const Transaction saga = sample_saga("g1");
  store_.hold_commits();
  start(create(saga));
  store_.crash();
  poll();
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(load("g1"), std::nullopt);
  EXPECT_EQ(store_.commits(), 0U);
}

}  // namespace concerto::test
