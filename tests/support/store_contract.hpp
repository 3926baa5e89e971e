#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/core/store.hpp>

#include "await_result.hpp"
#include "sample_transactions.hpp"

/// What every store keeps. Include this in one source file per store and instantiate it:
///   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreMaker{...}));
namespace concerto::test {

/// A store with what it needs to live, as its files or its server.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  /// Closes the store and opens it again on the same data.
  virtual void restart() = 0;
};

struct StoreMaker {
  const char* name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) {
  *out << maker.name;
}

class StoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  Store& store() { return under_test_->store(); }
  void restart() { under_test_->restart(); }

  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }

  Result<> commit(Change change) { return wait(store().commit(std::move(change))); }
  error_code commit_code(Change change) {
    const Result<> done = commit(std::move(change));
    return done ? error_code{} : done.error().code;
  }
  std::optional<Transaction> load(const std::string& gid) {
    return wait(store().load(Gid{gid})).value();
  }

  /// All pages of `list`, newest first, `limit` at a time.
  std::vector<std::string> list_gids(ListFilter filter, std::size_t limit) {
    std::vector<std::string> gids;
    std::string position;
    do {
      const TransPage page = wait(store().list(filter, position, limit)).value();
      EXPECT_LE(page.transactions.size(), limit);
      for (const Transaction& trans : page.transactions) gids.push_back(trans.gid.str());
      position = page.next_position;
    } while (!position.empty());
    return gids;
  }

  std::vector<std::string> active_gids(std::size_t limit) {
    std::vector<std::string> gids;
    std::uint64_t from = 0;
    do {
      const ActivePage page = wait(store().scan_active(from, limit)).value();
      EXPECT_LE(page.transactions.size(), limit);
      for (const ActiveTrans& trans : page.transactions) gids.push_back(trans.gid.str());
      from = page.next;
    } while (from != 0);
    return gids;
  }

  asio::io_context io_{1};
  std::unique_ptr<StoreUnderTest> under_test_ = GetParam().make();
};

TEST_P(StoreContract, ShowsWhatWasCreatedAlsoAfterARestart) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(load("g1"), saga);
  EXPECT_EQ(load("g2"), std::nullopt);
  restart();
  EXPECT_EQ(load("g1"), saga);
  EXPECT_EQ(load("g2"), std::nullopt);
}

TEST_P(StoreContract, AppliesChangesInOrder) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const std::vector<TransDelta> deltas = {outcome(1, BranchStatus::succeed, 1),
                                          outcome(3, BranchStatus::failed, 2),
                                          new_status(TransStatus::aborting, 3)};
  for (const TransDelta& delta : deltas) {
    ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta)));
    apply(saga, delta);
    EXPECT_EQ(load("g1"), saga);
  }
  restart();
  EXPECT_EQ(load("g1"), saga);
}

TEST_P(StoreContract, KeepsEveryFieldOfADelta) {
  Transaction saga = sample_saga("g1");
  saga.status = TransStatus::prepared;
  ASSERT_TRUE(commit(create(saga)));
  TransDelta delta;
  delta.at = at_second(5);
  delta.status = TransStatus::submitted;
  delta.rollback_reason = "branch 01 said no";
  delta.result = "cmVzdWx0";
  delta.custom_data = "{}";
  delta.options = TransOptions{};
  delta.options->retry_limit = 3;
  delta.submit_time = at_second(4);
  delta.schedule = Schedule{std::chrono::seconds{20}, at_second(25), true};
  delta.retry_count = 7;
  delta.new_payloads = {"third"};
  delta.new_branches = {sample_branch("03", "action", 2)};
  delta.branch_changes = {{4, BranchStatus::succeed, at_second(5)}};
  ASSERT_TRUE(commit(update("g1", TransStatus::prepared, delta)));
  apply(saga, delta);
  EXPECT_EQ(load("g1"), saga);
  restart();
  EXPECT_EQ(load("g1"), saga);
}

TEST_P(StoreContract, CreatesAGidOnce) {
  const Transaction saga = sample_saga("g1");
  Transaction other = sample_saga("g1");
  other.custom_data = "other";
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(commit_code(create(other)), Errc::gid_exists);
  EXPECT_EQ(load("g1"), saga);
  restart();
  EXPECT_EQ(commit_code(create(other)), Errc::gid_exists);
}

TEST_P(StoreContract, FinishedGidsCountAsExisting) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 1))));
  EXPECT_EQ(commit_code(create(saga)), Errc::gid_exists);
  restart();
  EXPECT_EQ(commit_code(create(saga)), Errc::gid_exists);
  EXPECT_EQ(load("g1")->status, TransStatus::succeed);
}

TEST_P(StoreContract, GidsThatArePrefixesOfEachOtherAreDifferent) {
  for (const char* gid : {"a", "a0", "a00", "a-1"}) {
    ASSERT_TRUE(commit(create(sample_saga(gid))));
  }
  ASSERT_TRUE(commit(update("a0", TransStatus::submitted, new_status(TransStatus::failed, 1))));
  EXPECT_EQ(load("a")->status, TransStatus::submitted);
  EXPECT_EQ(load("a0")->status, TransStatus::failed);
  EXPECT_EQ(load("a00")->branches.size(), 4U);
}

TEST_P(StoreContract, KeepsGidsAndBodiesAtTheirLimits) {
  Transaction saga = sample_saga(std::string(gid_bytes_max, 'g'));
  saga.payloads[0] = std::string(300'000, 'p');
  ASSERT_TRUE(commit(create(saga)));
  restart();
  EXPECT_EQ(load(saga.gid.str()), saga);
}

TEST_P(StoreContract, UpdateNeedsTheExpectedStatus) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(commit_code(update("g1", TransStatus::prepared, outcome(1, BranchStatus::succeed, 1))),
            Errc::status_mismatch);
  EXPECT_EQ(commit_code(update("g2", TransStatus::prepared, outcome(1, BranchStatus::succeed, 1))),
            Errc::trans_not_found);
  EXPECT_EQ(load("g1"), saga);
}

TEST_P(StoreContract, FinalIsFinal) {
  ASSERT_TRUE(commit(create(sample_saga("g1"))));
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, new_status(TransStatus::failed, 1))));
  const auto finished = load("g1");
  for (const TransStatus expected : {TransStatus::submitted, TransStatus::failed}) {
    EXPECT_EQ(commit_code(update("g1", expected, new_status(TransStatus::submitted, 2))),
              Errc::status_mismatch);
  }
  EXPECT_EQ(load("g1"), finished);
  restart();
  EXPECT_EQ(
      commit_code(update("g1", TransStatus::submitted, new_status(TransStatus::submitted, 2))),
      Errc::status_mismatch);
}

TEST_P(StoreContract, CreatedWithAFinalStatusIsFinished) {
  Transaction done = sample_saga("g1");
  done.status = TransStatus::succeed;
  done.finish_time = at_second(0);
  ASSERT_TRUE(commit(create(done)));
  EXPECT_EQ(load("g1"), done);
  EXPECT_TRUE(active_gids(10).empty());
  restart();
  EXPECT_EQ(load("g1"), done);
  EXPECT_TRUE(active_gids(10).empty());
  EXPECT_EQ(commit_code(create(done)), Errc::gid_exists);
}

TEST_P(StoreContract, AddsEachBranchOnce) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  TransDelta delta;
  delta.at = at_second(1);
  delta.new_branches = {sample_branch("03", "try"), sample_branch("03", "cancel")};
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta)));
  apply(saga, delta);
  delta.new_branches = {sample_branch("04", "try"), sample_branch("03", "cancel")};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), Errc::branch_exists);
  delta.new_branches = {sample_branch("01", "action")};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), Errc::branch_exists);
  delta.new_branches = {sample_branch("05", "try"), sample_branch("05", "try")};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), Errc::branch_exists);
  EXPECT_EQ(load("g1"), saga);
  restart();
  EXPECT_EQ(load("g1"), saga);
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), Errc::branch_exists);
}

TEST_P(StoreContract, RefusesIndexesThatDoNotExist) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const TransDelta beyond = outcome(4, BranchStatus::succeed, 1);
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, beyond)), Errc::invalid_request);
  TransDelta no_payload;
  no_payload.new_branches = {sample_branch("03", "action", 2)};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, no_payload)), Errc::invalid_request);
  EXPECT_EQ(load("g1"), saga);
}

TEST_P(StoreContract, ProgressIsSeenAndSurvivesACleanRestart) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta, Durability::progress)));
  apply(saga, delta);
  EXPECT_EQ(load("g1"), saga);
  restart();
  EXPECT_EQ(load("g1"), saga);
}

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
  EXPECT_EQ(active_gids(100), unfinished);
  EXPECT_EQ(active_gids(2), unfinished);
  restart();
  EXPECT_EQ(active_gids(3), unfinished);
}

TEST_P(StoreContract, ScanTellsWhatRecoveryNeeds) {
  const Transaction saga = sample_saga("g1", 3);
  ASSERT_TRUE(commit(create(saga)));
  TransDelta delta = new_status(TransStatus::aborting, 4);
  delta.schedule = Schedule{std::chrono::seconds{20}, at_second(44), true};
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta)));
  restart();
  const ActivePage page = wait(store().scan_active(0, 10)).value();
  ASSERT_EQ(page.transactions.size(), 1U);
  const ActiveTrans& active = page.transactions.front();
  EXPECT_EQ(active.gid, saga.gid);
  EXPECT_EQ(active.type, TransType::saga);
  EXPECT_EQ(active.status, TransStatus::aborting);
  EXPECT_TRUE(active.parked);
  EXPECT_EQ(active.create_time, at_second(3));
  EXPECT_EQ(active.next_cron_time, at_second(44));
  EXPECT_EQ(active.timeout_to_fail, std::chrono::seconds{35});
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
  filter.status = TransStatus::succeed;
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
  EXPECT_EQ(page.transactions.front(), saga);
}

TEST_P(StoreContract, ListRejectsAForeignPosition) {
  const auto page = wait(store().list({}, "not a position", 10));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Errc::invalid_request);
}

TEST_P(StoreContract, KeyValueRecordsAreCreatedOnce) {
  ASSERT_TRUE(wait(store().create_kv(sample_topic("t1", "a"))));
  const Result<> again = wait(store().create_kv(sample_topic("t1", "b")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::key_exists);
  restart();
  const auto found = wait(store().find_kv("topics", "t1")).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front(), sample_topic("t1", "a"));
}

TEST_P(StoreContract, KeyValueUpdateNeedsTheStoredVersion) {
  ASSERT_TRUE(wait(store().create_kv(sample_topic("t1", "a"))));
  KvRecord record = sample_topic("t1", "b");
  record.update_time = at_second(9);
  ASSERT_TRUE(wait(store().update_kv(record)));
  const Result<> stale = wait(store().update_kv(record));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Errc::key_not_found);
  restart();
  const auto found = wait(store().find_kv("topics", "t1")).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().value, "b");
  EXPECT_EQ(found.front().version, 2);
  EXPECT_EQ(found.front().create_time, at_second(0));
  EXPECT_EQ(found.front().update_time, at_second(9));
}

TEST_P(StoreContract, KeyValueRecordsAreDeleted) {
  ASSERT_TRUE(wait(store().create_kv(sample_topic("t1", "a"))));
  ASSERT_TRUE(wait(store().delete_kv("topics", "t1")));
  const Result<> again = wait(store().delete_kv("topics", "t1"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::key_not_found);
  restart();
  EXPECT_TRUE(wait(store().find_kv("topics", "t1")).value().empty());
}

TEST_P(StoreContract, KeyValueRecordsAreFoundAndScanned) {
  for (const std::string key : {"c", "a", "b"}) {
    ASSERT_TRUE(wait(store().create_kv(sample_topic(key, "v-" + key))));
  }
  KvRecord other = sample_topic("a", "other");
  other.cat = "apples";
  ASSERT_TRUE(wait(store().create_kv(other)));
  EXPECT_EQ(wait(store().find_kv("topics", "")).value().size(), 3U);
  EXPECT_EQ(wait(store().find_kv("", "a")).value().size(), 2U);
  EXPECT_EQ(wait(store().find_kv("", "")).value().size(), 4U);
  std::string position, keys;
  do {
    const KvPage page = wait(store().scan_kv("topics", position, 2)).value();
    for (const KvRecord& record : page.records) keys += record.key;
    position = page.next_position;
  } while (!position.empty());
  EXPECT_EQ(keys, "abc");
}

}  // namespace concerto::test
