#pragma once

#include "store_contract_fixture.hpp"

/// The part of the contract about scans and lists of transactions.
namespace concerto::test {

TEST_P(StoreContract, ScansUnfinishedOnesInOrderOfCreation) {
  std::vector<std::string> unfinished;
  for (int i = 0; i < 10; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_TRUE(commit(create(sample_saga(gid, 100 - i))));
    if (i % 3 == 0) {
      const TransDelta done = new_status(TransStatus::succeed, 200);
      ASSERT_TRUE(commit(update(gid, TransStatus::submitted, done)));
    } else {
      unfinished.push_back(gid);
    }
  }
  EXPECT_EQ(unfinished_gids(100), unfinished);
  EXPECT_EQ(unfinished_gids(2), unfinished);
  restart();
  EXPECT_EQ(unfinished_gids(3), unfinished);
}

TEST_P(StoreContract, ScanTellsWhatRecoveryNeeds) {
  const Transaction saga = sample_saga("g1", 3);
  ASSERT_TRUE(commit(create(saga)));
  TransDelta delta = new_status(TransStatus::aborting, 4);
  delta.schedule = Schedule{std::chrono::seconds{20}, at_second(44), true};
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta)));
  restart();
  const UnfinishedPage page = wait(store().scan_unfinished(0, 10)).value();
  ASSERT_EQ(page.transactions.size(), 1U);
  const UnfinishedTrans& listed = page.transactions.front();
  EXPECT_EQ(listed.gid, saga.gid);
  EXPECT_EQ(listed.type, TransType::saga);
  EXPECT_EQ(listed.status, TransStatus::aborting);
  EXPECT_EQ(listed.create_time, at_second(3));
  EXPECT_EQ(listed.timeout_to_fail, std::chrono::seconds{35});
  EXPECT_EQ(listed.next_cron_interval, std::chrono::seconds{20});
  EXPECT_EQ(listed.custom_data, saga.custom_data);
  // Coordinators that share a store do not scan it at start.
  if (store().ownership() != nullptr) return;
  EXPECT_TRUE(listed.waits);
  EXPECT_EQ(listed.next_cron_time, at_second(44));
  EXPECT_EQ(listed.submit_time, saga.submit_time);
}

TEST_P(StoreContract, KeepsTheNumberOfAModeThatItDoesNotKnow) {
  Transaction own = sample_saga("g1", 3);
  own.type = TransType{trans_types - 1};
  ASSERT_TRUE(commit(create(own)));
  restart();
  EXPECT_EQ(load("g1"), kept(own));
  const UnfinishedPage listed = wait(store().scan_unfinished(0, 10)).value();
  ASSERT_EQ(listed.transactions.size(), 1U);
  EXPECT_EQ(listed.transactions.front().type, own.type);
  ListFilter filter;
  filter.type = own.type;
  EXPECT_EQ(list_gids(filter, 10), std::vector<std::string>{"g1"});
  filter.type = TransType::saga;
  EXPECT_EQ(list_gids(filter, 10), std::vector<std::string>{});
}

TEST_P(StoreContract, ListsNewestFirst) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 9; ++i) {
    const std::string gid = "g" + std::to_string(i);
    ASSERT_TRUE(commit(create(sample_saga(gid, i))));
    newest_first.insert(newest_first.begin(), gid);
  }
  ASSERT_TRUE(commit(update("g2", TransStatus::submitted, new_status(TransStatus::failed, 20))));
  EXPECT_EQ(list_gids({}, 100), newest_first);
  EXPECT_EQ(list_gids({}, 1), newest_first);
  restart();
  EXPECT_EQ(list_gids({}, 4), newest_first);
}

TEST_P(StoreContract, ListsWhatIsLargeInShorterPages) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 150; ++i) {
    const std::string gid = "g" + std::to_string(i);
    Transaction saga = sample_saga(gid, i);
    saga.custom_data = std::string(64 * 1024, 'x');
    const error_code created = commit_code(create(saga));
    if (created == Errc::invalid_request) GTEST_SKIP() << "no page of this store can be so large";
    ASSERT_EQ(created, error_code{});
    newest_first.insert(newest_first.begin(), gid);
  }
  ListFilter unfinished;
  unfinished.statuses = {TransStatus::submitted};
  for (const ListFilter& filter : {ListFilter{}, unfinished}) {
    const TransPage page = wait(store().list(filter, "", 1000)).value();
    EXPECT_LT(page.transactions.size(), 140U);
    EXPECT_GT(page.transactions.size(), 100U);
    EXPECT_FALSE(page.next_position.empty());
    EXPECT_EQ(list_pages_of(filter, 1000, 100), newest_first);
  }
}

TEST_P(StoreContract, ListsByFilter) {
  for (int i = 0; i < 8; ++i) {
    const std::string gid = "g" + std::to_string(i);
    Transaction trans = sample_saga(gid, i);
    if (i % 2 == 1) trans.type = TransType::msg;
    ASSERT_TRUE(commit(create(trans)));
    if (i < 4) continue;
    const TransDelta done = new_status(TransStatus::succeed, 20);
    ASSERT_TRUE(commit(update(gid, TransStatus::submitted, done)));
  }
  ListFilter filter;
  filter.statuses = {TransStatus::succeed};
  EXPECT_EQ(list_gids(filter, 3), (std::vector<std::string>{"g7", "g6", "g5", "g4"}));
  filter.type = TransType::msg;
  EXPECT_EQ(list_gids(filter, 3), (std::vector<std::string>{"g7", "g5"}));
  ListFilter times;
  times.created_from = at_second(2);
  times.created_to = at_second(4);
  EXPECT_EQ(list_gids(times, 2), (std::vector<std::string>{"g4", "g3", "g2"}));
}

TEST_P(StoreContract, ListShowsTheCurrentStateWithoutBranches) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const TransDelta done = new_status(TransStatus::succeed, 1);
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, done)));
  apply(saga, done);
  saga.branches.clear();
  saga.payloads.clear();
  const TransPage page = wait(store().list({}, "", 10)).value();
  ASSERT_EQ(page.transactions.size(), 1U);
  EXPECT_EQ(kept(page.transactions.front()), kept(saga));
}

TEST_P(StoreContract, ListRejectsAForeignPosition) {
  const auto page = wait(store().list({}, "not a position", 10));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Errc::invalid_request);
  ListFilter failed;
  failed.statuses = {TransStatus::failed};
  for (const char* position : {"not a position", "i.", "i.x", "-1", "1 "}) {
    const auto other = wait(store().list(failed, position, 10));
    ASSERT_FALSE(other) << position;
    EXPECT_EQ(other.error().code, Errc::invalid_request);
  }
}

/// Three stuck transactions, two failed ones, and then many that succeeded.
inline std::vector<Transaction> few_among_many(int many) {
  std::vector<Transaction> all;
  for (const char* gid : {"stuck0", "failed0", "stuck1", "failed1", "stuck2"}) {
    all.push_back(sample_saga(gid, static_cast<std::int64_t>(all.size())));
    if (all.back().gid.view().starts_with("failed")) all.back().status = TransStatus::failed;
  }
  all[2].type = TransType::msg;
  all[3].type = TransType::msg;
  for (int i = 0; i < many; ++i) {
    all.push_back(sample_saga("good" + std::to_string(i), 10));
    all.back().status = TransStatus::succeed;
  }
  return all;
}

TEST_P(StoreContract, ListFindsAFewStuckAndFailedOnesBelowManyGoodOnes) {
  create_in_order_and_all(few_among_many(2500));
  ListFilter stuck, failed, both, messages;
  stuck.statuses = {TransStatus::submitted};
  failed.statuses = {TransStatus::failed};
  both.statuses = {TransStatus::prepared, TransStatus::submitted, TransStatus::failed};
  messages.type = TransType::msg;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t limit : {1U, 2U, 100U}) {
      EXPECT_EQ(list_gids(stuck, limit), (std::vector<std::string>{"stuck2", "stuck1", "stuck0"}));
      EXPECT_EQ(list_gids(failed, limit), (std::vector<std::string>{"failed1", "failed0"}));
      EXPECT_EQ(list_gids(both, limit),
                (std::vector<std::string>{"stuck2", "failed1", "stuck1", "failed0", "stuck0"}));
    }
    EXPECT_EQ(list_gids(messages, 5), (std::vector<std::string>{"failed1", "stuck1"}));
    restart();
  }
}

TEST_P(StoreContract, ListFiltersWhatIsStuckOrFailed) {
  create_in_order_and_all(few_among_many(3));
  ListFilter filter;
  filter.statuses = {TransStatus::submitted, TransStatus::aborting, TransStatus::failed};
  for (int round = 0; round < 2; ++round) {
    ListFilter type = filter;
    type.type = TransType::msg;
    EXPECT_EQ(list_gids(type, 1), (std::vector<std::string>{"failed1", "stuck1"}));
    ListFilter times = filter;
    times.created_from = at_second(1);
    times.created_to = at_second(3) - std::chrono::nanoseconds(1);
    EXPECT_EQ(list_gids(times, 1), (std::vector<std::string>{"stuck1", "failed0"}));
    ListFilter own = filter;
    own.accepts = [](const Transaction& trans) {
      EXPECT_EQ(trans.branches.size(), 4U);
      return trans.gid.view().ends_with('1');
    };
    EXPECT_EQ(list_gids(own, 1), (std::vector<std::string>{"failed1", "stuck1"}));
    restart();
  }
}

TEST_P(StoreContract, ListShowsWhatFailsBetweenTwoPages) {
  create_in_order_and_all(few_among_many(0));
  ListFilter filter;
  filter.statuses = {TransStatus::submitted, TransStatus::failed};
  const TransPage first = wait(store().list(filter, "", 2)).value();
  ASSERT_EQ(first.transactions.size(), 2U);
  ASSERT_TRUE(commit(update("stuck0", TransStatus::submitted, new_status(TransStatus::failed, 9))));
  ASSERT_TRUE(
      commit(update("stuck1", TransStatus::submitted, new_status(TransStatus::succeed, 9))));
  const TransPage second = wait(store().list(filter, first.next_position, 9)).value();
  ASSERT_EQ(second.transactions.size(), 2U);
  EXPECT_EQ(second.transactions[0].gid.str(), "failed0");
  EXPECT_EQ(second.transactions[1].gid.str(), "stuck0");
  EXPECT_EQ(second.transactions[1].status, TransStatus::failed);
}

}  // namespace concerto::test
