#pragma once

/// The tests that every store with an Ownership must pass, beside those of store_contract.hpp.
/// Include this file in the same source file and instantiate:
///   INSTANTIATE_TEST_SUITE_P(Shared, OwnershipContract, testing::Values(StoreMaker{...}));

#include "ownership_contract_fixture.hpp"

namespace concerto::test {

TEST_P(OwnershipContract, ASubmittedOneIsItsCreators) {
  create_one("g");
  EXPECT_FALSE(claims(other(), "g"));
  EXPECT_TRUE(claims(store(), "g"));
  EXPECT_EQ(succeed_by(other(), "g"), EngineErrc::lease_lost);
  EXPECT_EQ(load("g")->status, TransStatus::submitted);
  EXPECT_EQ(succeed_by(store(), "g"), error_code{});
}

TEST_P(OwnershipContract, APreparedOneRestsAndAnyoneMayClaimIt) {
  create_one("g", TransStatus::prepared);
  EXPECT_TRUE(claims(other(), "g"));
  EXPECT_FALSE(claims(store(), "g"));
  const Change submit = update("g", TransStatus::prepared, at_now(TransStatus::submitted));
  EXPECT_EQ(commit_code_by(store(), submit), EngineErrc::lease_lost);
  EXPECT_EQ(commit_code_by(other(), submit), error_code{});
}

TEST_P(OwnershipContract, APollClaimsNothingThatAQueuedChangePutsToRest) {
  create_one("g");
  const Gids busy{"b0", "b1", "b2", "b3", "b4", "b5"};  // in every lane
  for (const std::string& gid : busy) create_one(gid);
  end_leases();
  for (int i = 0; i < 300; ++i) {
    for (const std::string& gid : busy) {
      queue_progress(update(gid, TransStatus::submitted, at_now()));
    }
  }
  queue_progress(rest("g", std::chrono::seconds(60)));
  const Gids claimed = claim_due(store(), 100);
  EXPECT_EQ(std::count(claimed.begin(), claimed.end(), "g"), 0);
}

TEST_P(OwnershipContract, AClaimShowsTheTransactionAndTheTimeBeforeIt) {
  create_one("g");
  ASSERT_EQ(commit_code_by(store(), rest("g", std::chrono::seconds(60))), error_code{});
  const Claimed claimed = claim(other(), "g");
  ASSERT_TRUE(claimed.is_ours);
  ASSERT_TRUE(claimed.trans.has_value());
  EXPECT_TRUE(claimed.trans->waits);
  EXPECT_GE(claimed.trans->next_cron_time, in(std::chrono::seconds(57)));
  EXPECT_LE(claimed.trans->next_cron_time, in(std::chrono::seconds(63)));
  EXPECT_EQ(claimed.trans->branches.size(), 4U);
  EXPECT_EQ(claimed.trans->payloads, sample_saga("g").payloads);
}

TEST_P(OwnershipContract, WhatIsClaimedFromSomebodyAtWorkDoesNotWait) {
  create_one("g");
  const Claimed seen = claim(other(), "g");
  EXPECT_FALSE(seen.is_ours);
  EXPECT_EQ(seen.trans->status, TransStatus::submitted);
  end_leases();
  const Claimed claimed = claim(other(), "g");
  EXPECT_TRUE(claimed.is_ours);
  EXPECT_FALSE(claimed.trans->waits);
}

TEST_P(OwnershipContract, ThereIsNoClaimOnWhatIsFinishedOrDoesNotExist) {
  create_one("g");
  ASSERT_EQ(succeed_by(store(), "g"), error_code{});
  for (const Claim how : {Claim::if_free, Claim::always}) {
    const Claimed finished = claim(other(), "g", how);
    EXPECT_FALSE(finished.is_ours);
    EXPECT_EQ(finished.trans->status, TransStatus::succeed);
    const Claimed missing = claim(other(), "h", how);
    EXPECT_FALSE(missing.is_ours);
    EXPECT_EQ(missing.trans, std::nullopt);
  }
}

TEST_P(OwnershipContract, AListKnowsWhoHasTheLease) {
  for (const char* gid : {"mine", "resting", "over", "done"}) create_one(gid);
  create_one("prepared", TransStatus::prepared);
  ASSERT_EQ(succeed_by(store(), "done"), error_code{});
  end_leases();
  ASSERT_TRUE(claims(store(), "mine"));
  ASSERT_TRUE(claims(store(), "resting"));
  ASSERT_EQ(commit_code_by(store(), rest("resting", std::chrono::seconds(60))), error_code{});
  const auto owner = wait(ownership_of(store()).owner_of(Gid("mine"))).value();
  ASSERT_TRUE(owner.has_value());
  std::map<std::string, std::string> owners;
  std::string seen;
  ListFilter filter;
  filter.accepts_owner = [&seen](std::string_view by) {
    seen = by;
    return true;
  };
  filter.accepts = [&](const Transaction& trans) { return owners[trans.gid.str()] = seen, false; };
  ASSERT_TRUE(wait(other().list(filter, "", 1)));
  EXPECT_EQ(
      owners,
      (std::map<std::string, std::string>{
          {"mine", owner->id}, {"resting", ""}, {"over", ""}, {"done", ""}, {"prepared", ""}}));
  ListFilter held;
  held.accepts_owner = [&](std::string_view by) { return by == owner->id; };
  const auto page = wait(store().list(held, "", 10));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->transactions.size(), 1U);
  EXPECT_EQ(page->transactions[0].gid, Gid("mine"));
}

TEST_P(OwnershipContract, AClaimOfAllTakesItFromSomebodyAtWork) {
  create_one("g");
  EXPECT_TRUE(claims(other(), "g", Claim::always));
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
  EXPECT_EQ(succeed_by(other(), "g"), error_code{});
}

TEST_P(OwnershipContract, AnEndedLeaseMayBeClaimedAndItsHolderNoticesBeforeItWrites) {
  create_one("g");
  end_leases();
  EXPECT_TRUE(claims(other(), "g"));
  EXPECT_EQ(commit_code_by(store(), update("g", TransStatus::submitted, at_now())),
            EngineErrc::lease_lost);
  EXPECT_EQ(commit_code_by(store(), rest("g", {})), EngineErrc::lease_lost);
  EXPECT_EQ(renew(store(), {"g"}), Gids{"g"});
}

TEST_P(OwnershipContract, AChangeByTheHolderOfAnEndedLeaseCountsIfNobodyClaimedIt) {
  create_one("g");
  end_leases();
  EXPECT_EQ(commit_code_by(store(), update("g", TransStatus::submitted, at_now())), error_code{});
  EXPECT_FALSE(claims(other(), "g"));
}

TEST_P(OwnershipContract, RenewalsAndChangesLengthenALease) {
  create_one("g");
  create_one("h");
  create_one("i");
  const auto most = ownership_of(store()).lease() * 2 / 3;
  under_test_->pass_time(most);
  EXPECT_EQ(renew(store(), {"g"}), Gids{});
  EXPECT_EQ(commit_code_by(store(), update("h", TransStatus::submitted, at_now())), error_code{});
  under_test_->pass_time(most);
  EXPECT_FALSE(claims(other(), "g"));
  EXPECT_FALSE(claims(other(), "h"));
  EXPECT_TRUE(claims(other(), "i"));
}

TEST_P(OwnershipContract, ARenewalTellsWhatIsNoLongerOurs) {
  for (const char* gid : {"claimed", "finished", "ours", "resting"}) create_one(gid);
  ASSERT_TRUE(claims(other(), "claimed", Claim::always));
  ASSERT_EQ(succeed_by(store(), "finished"), error_code{});
  ASSERT_EQ(commit_code_by(store(), rest("resting", std::chrono::seconds(60))), error_code{});
  EXPECT_EQ(renew(store(), {"claimed", "finished", "missing", "ours", "resting"}),
            (Gids{"claimed", "finished", "missing", "resting"}));
  EXPECT_EQ(renew(store(), {}), Gids{});
}

TEST_P(OwnershipContract, ARestIsForAnyoneUntilItsTimeAndDueThen) {
  create_one("g");
  ASSERT_EQ(commit_code_by(store(), rest("g", std::chrono::seconds(60))), error_code{});
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
  EXPECT_TRUE(load("g").has_value());
  EXPECT_EQ(claim_due(other(), 10), Gids{});
  under_test_->pass_time(std::chrono::seconds(57));
  EXPECT_EQ(claim_due(other(), 10), Gids{});
  under_test_->pass_time(std::chrono::seconds(6));
  EXPECT_EQ(claim_due(other(), 10), Gids{"g"});
  EXPECT_EQ(claim_due(store(), 10), Gids{});
  EXPECT_EQ(succeed_by(other(), "g"), error_code{});
}

TEST_P(OwnershipContract, WhatIsDueIsClaimedInItsOrderAndAtMostAsManyAsAsked) {
  int place = 0;
  for (const char* gid : {"third", "first", "fourth", "second", "later"}) {
    create_one(gid);
    constexpr int seconds[] = {30, 10, 40, 20, 4000};
    ASSERT_EQ(commit_code_by(store(), rest(gid, std::chrono::seconds(seconds[place++]))),
              error_code{});
  }
  under_test_->pass_time(std::chrono::seconds(50));
  EXPECT_EQ(claim_due(other(), 0), Gids{});
  Gids found = claim_due(other(), 2);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (Gids{"first", "second"}));
  found = claim_due(store(), 10);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (Gids{"fourth", "third"}));
  EXPECT_EQ(claim_due(other(), 10), Gids{});
}

TEST_P(OwnershipContract, AnEndedLeaseIsDue) {
  create_one("g");
  EXPECT_EQ(claim_due(other(), 10), Gids{});
  end_leases();
  EXPECT_EQ(claim_due(other(), 10), Gids{"g"});
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
}

TEST_P(OwnershipContract, LettingGoPutsToRestAndDoesNothingToWhatIsNotOurs) {
  create_one("g");
  let_go(other(), "g", {});
  EXPECT_FALSE(claims(other(), "g"));
  let_go(store(), "g", std::chrono::seconds(60));
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
  EXPECT_EQ(claim_due(other(), 10), Gids{});
  const Claimed claimed = claim(other(), "g");
  EXPECT_TRUE(claimed.is_ours);
  EXPECT_TRUE(claimed.trans->waits);
  let_go(store(), "g", {});
  let_go(store(), "missing", {});
  EXPECT_EQ(succeed_by(other(), "g"), error_code{});
}

TEST_P(OwnershipContract, FindsWhatRestsForLongAndHasNotChangedSince) {
  for (const char* gid : {"far", "farther", "near", "at_work"}) create_one(gid);
  ASSERT_EQ(commit_code_by(store(), rest("far", std::chrono::seconds(1000))), error_code{});
  ASSERT_EQ(commit_code_by(store(), rest("farther", std::chrono::seconds(2000))), error_code{});
  ASSERT_EQ(commit_code_by(store(), rest("near", std::chrono::seconds(60))), error_code{});
  const auto found = [this](std::chrono::seconds since, std::size_t limit) {
    Gids gids;
    auto answer = wait(ownership_of(other()).resting(std::chrono::seconds(500), in(since), limit));
    for (const Gid& gid : answer.value()) gids.push_back(gid.str());
    return gids;
  };
  EXPECT_EQ(found({}, 1), Gids{"farther"});
  EXPECT_EQ(found({}, 10), (Gids{"farther", "far"}));
  EXPECT_EQ(found(std::chrono::seconds(-2), 10), Gids{});
  EXPECT_EQ(claim_due(store(), 10), Gids{});
}

TEST_P(OwnershipContract, AnyoneMayMoveTheTimeOfAFinishedOne) {
  create_one("g");
  ASSERT_EQ(succeed_by(store(), "g"), error_code{});
  TransDelta delta = at_now();
  delta.schedule = Schedule{std::chrono::seconds{10}, delta.at, false};
  EXPECT_EQ(commit_code_by(other(), update("g", TransStatus::succeed, delta)), error_code{});
  EXPECT_EQ(claim_due(other(), 10), Gids{});
}

TEST_P(OwnershipContract, CountsTheUnfinishedOnesOfAllCoordinators) {
  create_one("g");
  create_one("h", TransStatus::prepared);
  create_one("finished");
  ASSERT_EQ(succeed_by(store(), "finished"), error_code{});
  Transaction msg = sample_saga("m");
  msg.type = TransType::msg;
  ASSERT_EQ(commit_code_by(other(), create(msg)), error_code{});
  const Backlog backlog = wait(ownership_of(store()).backlog()).value();
  EXPECT_EQ(backlog.by_type[static_cast<std::size_t>(TransType::saga)], 2U);
  EXPECT_EQ(backlog.by_type[static_cast<std::size_t>(TransType::msg)], 1U);
  EXPECT_EQ(backlog.oldest, msg.create_time);
  EXPECT_TRUE(backlog.is_complete);
}

TEST_P(OwnershipContract, TellsWhoHasATransaction) {
  const auto owner_seen_by = [this](Store& by, const std::string& gid) {
    return wait(ownership_of(by).owner_of(Gid{gid})).value();
  };
  EXPECT_FALSE(owner_seen_by(store(), "nobody"));
  create_one("g");
  const auto own = owner_seen_by(store(), "g");
  const auto others = owner_seen_by(other(), "g");
  ASSERT_TRUE(own && others);
  EXPECT_TRUE(own->is_this && own->is_coordinator);
  EXPECT_FALSE(others->is_this);
  EXPECT_EQ(own->id, others->id);
  EXPECT_GT(others->until, in({}));
  let_go(store(), "g", std::chrono::seconds(100));
  EXPECT_FALSE(owner_seen_by(other(), "g"));
  create_one("ended");
  EXPECT_EQ(succeed_by(store(), "ended"), error_code{});
  EXPECT_FALSE(owner_seen_by(other(), "ended"));
}

TEST_P(OwnershipContract, ALostAnswerIsSettledOrTheSameCallMayBeMadeAgain) {
  create_one("g");
  if (!under_test_->lose_next_answer()) GTEST_SKIP() << "no answer of this store can get lost";
  const error_code done = succeed_by(store(), "g");
  EXPECT_TRUE(done == error_code{} || done == EngineErrc::store_failed) << done.message();
  EXPECT_EQ(load("g")->status, TransStatus::succeed);
  create_one("h", TransStatus::prepared);
  ASSERT_TRUE(under_test_->lose_next_answer());
  const auto claimed = wait(ownership_of(store()).claim(Gid{"h"}, Claim::if_free));
  if (!claimed) {
    EXPECT_TRUE(claimed.error().code == EngineErrc::store_failed ||
                claimed.error().code == EngineErrc::store_busy);
    EXPECT_TRUE(claims(store(), "h"));
  }
  EXPECT_FALSE(claims(other(), "h"));
}

TEST_P(OwnershipContract, ARestartIsAnotherCoordinator) {
  create_one("g");
  restart();
  EXPECT_EQ(succeed_by(store(), "g"), EngineErrc::lease_lost);
  EXPECT_FALSE(claims(store(), "g"));
  end_leases();
  EXPECT_TRUE(claims(store(), "g"));
}

}  // namespace concerto::test
