// The model of a shared store that the tests of the engine and the simulation use.

#include "shared_store.hpp"

#include "ownership_contract.hpp"
#include "store_contract.hpp"

namespace concerto::test {

class SharedStoreUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return *store_; }
  void restart() override { store_ = open(); }
  Transaction kept(Transaction trans) const override {
    trans.submit_time.reset();
    trans.next_cron_time = {};
    trans.waits = false;
    return trans;
  }
  Store* other_store() override { return other_.get(); }
  WallTime now() const override { return clock_.wall_now(); }
  void pass_time(std::chrono::nanoseconds by) override { clock_.advance(by); }
  bool lose_next_answer() override {
    store_->lost_answers = 1;
    return true;
  }

 private:
  std::unique_ptr<SharedStore> open() {
    return std::make_unique<SharedStore>(world_, clock_, "cc-" + std::to_string(++nodes_));
  }

  FakeClock clock_;
  SharedWorld world_{clock_};
  int nodes_ = 0;
  std::unique_ptr<SharedStore> store_ = open();
  std::unique_ptr<SharedStore> other_ = open();
};

const StoreMaker shared{"shared", [] { return std::make_unique<SharedStoreUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Shared, StoreContract, testing::Values(shared));
INSTANTIATE_TEST_SUITE_P(Shared, OwnershipContract, testing::Values(shared));

class SharedStoreTest : public testing::Test {
 protected:
  template <class T>
  std::shared_ptr<std::optional<Result<T>>> start(Async<T> call) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(io_, std::move(call), [result](const std::exception_ptr&, Result<T> done) {
      result->emplace(std::move(done));
    });
    poll();
    return result;
  }
  void poll() {
    io_.restart();
    io_.poll();
  }

  FakeClock clock_;
  SharedWorld world_{clock_};
  asio::io_context io_{1};
  SharedStore a_{world_, clock_, "cc-a"};
  SharedStore b_{world_, clock_, "cc-b"};
};

TEST_F(SharedStoreTest, ACallOnItsWayTakesEffectWhenItArrives) {
  const Transaction saga = sample_saga("g");
  a_.hold();
  const auto created = start(a_.commit(create(saga)));
  EXPECT_EQ(start(b_.load(Gid("g")))->value().value(), std::nullopt);
  a_.release();
  poll();
  EXPECT_TRUE(created->value());
  EXPECT_TRUE(start(b_.load(Gid("g")))->value().value().has_value());
}

TEST_F(SharedStoreTest, AKillLetsACallArriveOrNot) {
  for (const bool arrives : {false, true}) {
    SharedStore killed(world_, clock_, "cc-killed");
    killed.hold();
    const Transaction saga = sample_saga("g");
    const auto created = start(killed.commit(create(saga)));
    killed.crash([arrives] { return arrives; });
    EXPECT_EQ(start(b_.load(Gid("g")))->value().value().has_value(), arrives);
    EXPECT_FALSE(created->has_value());
  }
}

TEST_F(SharedStoreTest, WithoutTheFenceAChangeCountsWhoeverWorks) {
  const Transaction saga = sample_saga("g");
  ASSERT_TRUE(start(a_.commit(create(saga)))->value());
  ASSERT_TRUE(start(b_.claim(Gid("g"), Claim::always))->value());
  const Change end = update("g", TransStatus::submitted, new_status(TransStatus::succeed, 1));
  EXPECT_EQ(start(a_.commit(end))->value().error().code, EngineErrc::lease_lost);
  world_.has_fence = false;
  EXPECT_TRUE(start(a_.commit(end))->value());
}

TEST_F(SharedStoreTest, WhatTheReferenceHasIsItsUntilItsTimeAndWaitsThen) {
  ASSERT_TRUE(start(a_.commit(create(sample_saga("g"))))->value());
  world_.set_owner(Gid("g"), "", world_.now() + std::chrono::seconds(10));
  EXPECT_FALSE(start(b_.claim(Gid("g"), Claim::if_free))->value()->is_ours);
  clock_.advance(std::chrono::seconds(10));
  const Claimed claimed = start(b_.claim(Gid("g"), Claim::if_free))->value().value();
  EXPECT_TRUE(claimed.is_ours);
  EXPECT_TRUE(claimed.trans->waits);
}

}  // namespace concerto::test
