#pragma once

/// The tests that every store with an Ownership must pass that takes the transactions of another
/// store (StoreMoves), beside those of ownership_contract.hpp. Include this file in the same source
/// file and instantiate:
///   INSTANTIATE_TEST_SUITE_P(Shared, MovesContract, testing::Values(StoreMaker{...}));

#include <string>

#include <concerto/persist/store_moves.hpp>

#include "ownership_contract_fixture.hpp"

namespace concerto::test {

class MovesContract : public OwnershipContract {
 protected:
  static persist::StoreMoves& moves_of(Store& store) {
    return dynamic_cast<persist::StoreMoves&>(store);
  }
  persist::StoreMoves& moves() { return moves_of(store()); }
};

TEST_P(MovesContract, WhatIsCreatedAtRestIsNobodysAndDueAtItsTime) {
  Transaction trans = sample_saga("g");
  trans.create_time = trans.update_time = in({});
  trans.next_cron_time = in(std::chrono::seconds(60));
  trans.waits = true;
  ASSERT_TRUE(wait(moves().create_at_rest(trans)));
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
  under_test_->pass_time(std::chrono::seconds(57));
  EXPECT_EQ(claim_due(other(), 10), Gids{});
  under_test_->pass_time(std::chrono::seconds(6));
  EXPECT_EQ(claim_due(other(), 10), Gids{"g"});
}

TEST_P(MovesContract, WhatWasInWorkElsewhereIsDueAtOnce) {
  Transaction trans = sample_saga("g");
  trans.create_time = trans.update_time = in(std::chrono::seconds(-5));
  trans.next_cron_time = in(std::chrono::seconds(100));
  ASSERT_TRUE(wait(moves().create_at_rest(trans)));
  EXPECT_EQ(claim_due(other(), 10), Gids{"g"});
}

TEST_P(MovesContract, ATransactionOfAnotherStoreIsKeptAsTheStoreSays) {
  for (const TransStatus status :
       {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting, TransStatus::succeed,
        TransStatus::failed}) {
    Transaction trans = sample_saga(std::string(to_string(status)));
    trans.status = status;
    trans.update_time += std::chrono::milliseconds(1700);
    trans.next_cron_interval = std::chrono::seconds(40);
    trans.next_cron_time = in(std::chrono::hours(1)) + std::chrono::milliseconds(1);
    trans.waits = status == TransStatus::submitted;
    trans.retry_count = 3;
    trans.rollback_reason = std::string(1500, 'r');
    if (is_final(status)) trans.finish_time = trans.rollback_time = trans.update_time;
    trans.branches[1].status = BranchStatus::succeed;
    trans.branches[1].finish_time = trans.branches[1].update_time = at_second(2);
    ASSERT_TRUE(wait(moves().create_at_rest(trans)));
    EXPECT_EQ(wait(store().load(trans.gid)).value(), moves().as_kept(trans).value());
    const Result<> again = wait(moves().create_at_rest(trans));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, EngineErrc::gid_exists);
  }
}

TEST_P(MovesContract, WhatIsInWorkIsCountedUntilTheLeaseEnds) {
  create_one("g");
  create_one("resting");
  ASSERT_EQ(commit_code(rest("resting", std::chrono::seconds(60))), error_code{});
  const persist::WorkOfOthers work = wait(moves_of(other()).work_of_others()).value();
  EXPECT_EQ(work.count, 1U);
  ASSERT_TRUE(work.free_in);
  EXPECT_GE(*work.free_in, ownership_of(store()).lease() - std::chrono::seconds(2));
  EXPECT_LE(*work.free_in, ownership_of(store()).lease() + std::chrono::seconds(5));
  end_leases();
  EXPECT_EQ(wait(moves_of(other()).work_of_others()).value().count, 0U);
}

}  // namespace concerto::test
