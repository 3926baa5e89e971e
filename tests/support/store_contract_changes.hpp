#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store_contract_fixture.hpp"

/// The part of the contract about transactions and their changes.
namespace concerto::test {

TEST_P(StoreContract, ShowsWhatWasCreatedAlsoAfterARestart) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(load("g1"), kept(saga));
  EXPECT_EQ(load("g2"), std::nullopt);
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
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
    EXPECT_EQ(load("g1"), kept(saga));
  }
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
}

TEST_P(StoreContract, KeepsEveryFieldOfADelta) {
  Transaction saga = sample_saga("g1");
  saga.status = TransStatus::prepared;
  ASSERT_TRUE(commit(create(saga)));
  take("g1");
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
  EXPECT_EQ(load("g1"), kept(saga));
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
}

inline RowEdit row_edit(std::uint32_t index, std::optional<std::string> url,
                        std::optional<std::uint32_t> payload) {
  return {index, std::move(url), payload, at_second(5)};
}

TEST_P(StoreContract, KeepsAnotherUrlAndPayloadOfARow) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  TransDelta delta;
  delta.at = at_second(5);
  delta.new_payloads = {"third"};
  delta.row_edits = {row_edit(1, "http://other/a", std::nullopt), row_edit(3, std::nullopt, 2)};
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta)));
  apply(saga, delta);
  EXPECT_EQ(load("g1"), kept(saga));
  // All results after it are stored as if nothing had been changed.
  for (const TransDelta& later :
       {outcome(1, BranchStatus::succeed, 6), outcome(3, BranchStatus::succeed, 7)}) {
    ASSERT_TRUE(commit(update("g1", TransStatus::submitted, later)));
    apply(saga, later);
  }
  EXPECT_EQ(load("g1"), kept(saga));
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
  EXPECT_EQ(load("g1")->branches[1].url, "http://other/a");
}

/// Without the payloads that no row has: tables have the rows alone.
inline Transaction without_unused_payloads(Transaction trans) {
  std::map<std::uint32_t, std::uint32_t> places;
  std::vector<std::string> payloads;
  for (Branch& row : trans.branches) {
    const auto [place, is_new] =
        places.emplace(row.payload, static_cast<std::uint32_t>(payloads.size()));
    if (is_new) payloads.push_back(trans.payloads[row.payload]);
    row.payload = place->second;
  }
  trans.payloads = std::move(payloads);
  return trans;
}

TEST_P(StoreContract, KeepsARowThatIsChangedTwiceAndItsResult) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  for (const std::uint32_t payload : {2U, 3U}) {
    TransDelta delta;
    delta.at = at_second(5);
    delta.new_payloads = {"payload " + std::to_string(payload)};
    for (const std::uint32_t row : {2U, 3U}) {
      delta.row_edits.push_back(row_edit(row, "http://other/", payload));
    }
    delta.branch_changes = {{payload - 2, BranchStatus::succeed, at_second(5)}};
    Change change = update("g1", TransStatus::submitted, delta);
    std::get<UpdateTrans>(change.what).known = &saga;  // The indexes are those of the caller.
    ASSERT_TRUE(commit(std::move(change)));
    apply(saga, delta);
  }
  // The payload that the two rows had before is no row's any more.
  EXPECT_EQ(saga.payloads[1], "");
  const Transaction expected = without_unused_payloads(kept(saga));
  EXPECT_EQ(without_unused_payloads(load("g1").value()), expected);
  restart();
  EXPECT_EQ(without_unused_payloads(load("g1").value()), expected);
}

TEST_P(StoreContract, ARowOrPayloadThatDoesNotExistIsNotChanged) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  for (const RowEdit& edit : {row_edit(4, "http://x/", std::nullopt), row_edit(1, {}, 2)}) {
    TransDelta delta;
    delta.at = at_second(5);
    delta.row_edits = {edit};
    EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), Errc::invalid_request);
  }
  EXPECT_EQ(load("g1"), kept(saga));
}

TEST_P(StoreContract, CreatesAGidOnce) {
  const Transaction saga = sample_saga("g1");
  Transaction other = sample_saga("g1");
  other.custom_data = "other";
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(commit_code(create(other)), EngineErrc::gid_exists);
  EXPECT_EQ(load("g1"), kept(saga));
  restart();
  EXPECT_EQ(commit_code(create(other)), EngineErrc::gid_exists);
}

TEST_P(StoreContract, FinishedGidsCountAsExisting) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 1))));
  EXPECT_EQ(commit_code(create(saga)), EngineErrc::gid_exists);
  restart();
  EXPECT_EQ(commit_code(create(saga)), EngineErrc::gid_exists);
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
  std::string gid;
  for (std::size_t i = 0; i < gid_chars_max; ++i) gid += "\U0001F600";  // four bytes
  ASSERT_EQ(gid.size(), gid_bytes_max);
  Transaction saga = sample_saga(gid);
  saga.payloads[0] = std::string(300'000, 'p');
  ASSERT_TRUE(commit(create(saga)));
  restart();
  EXPECT_EQ(load(saga.gid.str()), kept(saga));
}

TEST_P(StoreContract, UpdateNeedsTheExpectedStatus) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  EXPECT_EQ(commit_code(update("g1", TransStatus::prepared, outcome(1, BranchStatus::succeed, 1))),
            EngineErrc::status_mismatch);
  EXPECT_EQ(commit_code(update("g2", TransStatus::prepared, outcome(1, BranchStatus::succeed, 1))),
            EngineErrc::trans_not_found);
  EXPECT_EQ(load("g1"), kept(saga));
}

TEST_P(StoreContract, FinalIsFinal) {
  ASSERT_TRUE(commit(create(sample_saga("g1"))));
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, new_status(TransStatus::failed, 1))));
  const auto finished = load("g1");
  for (const TransStatus expected : {TransStatus::submitted, TransStatus::failed}) {
    EXPECT_EQ(commit_code(update("g1", expected, new_status(TransStatus::submitted, 2))),
              EngineErrc::status_mismatch);
  }
  EXPECT_EQ(load("g1"), finished);
  restart();
  EXPECT_EQ(
      commit_code(update("g1", TransStatus::submitted, new_status(TransStatus::submitted, 2))),
      EngineErrc::status_mismatch);
}

TEST_P(StoreContract, AFinishedOneTakesANewTimeAndNothingElse) {
  for (const std::string gid : {"g1", "g2"}) {
    ASSERT_TRUE(commit(create(sample_saga(gid))));
    ASSERT_TRUE(commit(update(gid, TransStatus::submitted, new_status(TransStatus::failed, 1))));
  }
  restart();
  auto expected = load("g1");
  for (const int second : {2, 3}) {
    TransDelta delta;
    delta.at = at_second(second);
    delta.schedule = Schedule{std::chrono::seconds{10}, at_second(second), false};
    ASSERT_TRUE(commit(update("g1", TransStatus::failed, delta)));
    apply(*expected, delta);
    EXPECT_EQ(load("g1"), kept(*expected));
    EXPECT_EQ(expected->next_cron_time, at_second(second));
    EXPECT_EQ(expected->status, TransStatus::failed);
    EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)),
              EngineErrc::status_mismatch);
    delta.rollback_reason = "another";
    EXPECT_EQ(commit_code(update("g1", TransStatus::failed, delta)), EngineErrc::status_mismatch);
    restart();
    EXPECT_EQ(load("g1"), kept(*expected));
  }
  EXPECT_TRUE(unfinished_gids(10).empty());
  EXPECT_EQ(list_gids({}, 10), (std::vector<std::string>{"g2", "g1"}));
}

TEST_P(StoreContract, CreatedWithAFinalStatusIsFinished) {
  Transaction done = sample_saga("g1");
  done.status = TransStatus::succeed;
  done.finish_time = at_second(0);
  ASSERT_TRUE(commit(create(done)));
  EXPECT_EQ(load("g1"), kept(done));
  EXPECT_TRUE(unfinished_gids(10).empty());
  restart();
  EXPECT_EQ(load("g1"), kept(done));
  EXPECT_TRUE(unfinished_gids(10).empty());
  EXPECT_EQ(commit_code(create(done)), EngineErrc::gid_exists);
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
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), EngineErrc::branch_exists);
  delta.new_branches = {sample_branch("01", "action")};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), EngineErrc::branch_exists);
  delta.new_branches = {sample_branch("05", "try"), sample_branch("05", "try")};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), EngineErrc::branch_exists);
  EXPECT_EQ(load("g1"), kept(saga));
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
  take("g1");
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, delta)), EngineErrc::branch_exists);
}

TEST_P(StoreContract, RefusesIndexesThatDoNotExist) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const TransDelta beyond = outcome(4, BranchStatus::succeed, 1);
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, beyond)), Errc::invalid_request);
  TransDelta no_payload;
  no_payload.new_branches = {sample_branch("03", "action", 2)};
  EXPECT_EQ(commit_code(update("g1", TransStatus::submitted, no_payload)), Errc::invalid_request);
  EXPECT_EQ(load("g1"), kept(saga));
}

TEST_P(StoreContract, ProgressIsSeenAndSurvivesACleanRestart) {
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  const TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, delta, Durability::progress)));
  apply(saga, delta);
  EXPECT_EQ(load("g1"), kept(saga));
  restart();
  EXPECT_EQ(load("g1"), kept(saga));
}

}  // namespace concerto::test
