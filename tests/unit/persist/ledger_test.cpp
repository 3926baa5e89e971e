#include "leveldb/ledger.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace concerto::persist {
namespace {

constexpr std::uint64_t count = 10'000;

/// Unfinished transactions with the sequences 1 to `count`, in any order.
class LedgerScan : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::uint64_t> sequences;
    for (std::uint64_t i = 1; i <= count; ++i) sequences.push_back(i);
    std::shuffle(sequences.begin(), sequences.end(), std::mt19937(5));
    for (const std::uint64_t sequence : sequences) {
      UnfinishedEntry entry;
      entry.fingerprint = {sequence * 0x9E3779B97F4A7C15, sequence};
      entry.sequence = sequence;
      entry.first = entry.last = {sequence / 10 + 1, 1};
      ledger_.restore_unfinished(entry);
    }
  }

  SegmentSet segments_;
  Ledger ledger_{segments_, {1, 2}, 1 << 20};
};

TEST_F(LedgerScan, WindowsFollowEachOtherBySequence) {
  for (const std::size_t limit : {1000U, 777U, 20'000U}) {
    std::uint64_t next = 1;
    for (;;) {
      const auto refs = ledger_.unfinished_refs(next, count, limit);
      if (refs.empty()) break;
      EXPECT_EQ(refs.size(), std::min<std::size_t>(limit, count - next + 1));
      for (const auto& ref : refs) {
        ASSERT_EQ(ref.sequence, next++);
        const auto gid = ledger_.fingerprint_of(ref);
        ASSERT_TRUE(gid);
        ASSERT_EQ(gid->low, ref.sequence);
      }
    }
    EXPECT_EQ(next, count + 1);
  }
}

TEST_F(LedgerScan, LeavesOutWhatCameAfterItsEnd) {
  const auto refs = ledger_.unfinished_refs(101, 150, 1000);
  ASSERT_EQ(refs.size(), 50U);
  EXPECT_EQ(refs.front().sequence, 101U);
  EXPECT_EQ(refs.back().sequence, 150U);
}

TEST_F(LedgerScan, ARefOfAnotherTransactionInTheSlotLeadsNowhere) {
  auto ref = ledger_.unfinished_refs(7, 7, 1).front();
  ref.sequence = 8;
  EXPECT_FALSE(ledger_.fingerprint_of(ref));
}

TEST_F(LedgerScan, FindsThoseThatBeganBeforeAGroup) {
  const auto gids = ledger_.unfinished_before(3);
  ASSERT_EQ(gids.size(), 19U);  // sequences 1 to 19 began in the groups 1 and 2
  for (std::uint64_t i = 0; i < gids.size(); ++i) EXPECT_EQ(gids[i].low, i + 1);
}

TEST(LedgerFailed, FindsTheFewThatMatchAmongMany) {
  SegmentSet segments;
  Ledger ledger(segments, {1, 2}, 1 << 20);
  for (std::uint64_t i = 1; i <= count; ++i) {
    FailedEntry entry;
    entry.ref = {i, {i, i}};
    entry.facts.type = i % 1000 == 0 ? TransType::xa : TransType::saga;
    ledger.restore_failed(entry);
  }
  ListFilter filter;
  filter.type = TransType::xa;
  std::vector<std::uint64_t> found;
  for (const IndexRef& ref : ledger.failed_refs(filter, count, 4)) found.push_back(ref.sequence);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{9000, 8000, 7000, 6000}));
  EXPECT_EQ(ledger.failed_refs(filter, 2500, 4).size(), 2U);
  EXPECT_EQ(ledger.failed_refs({}, count + 1, 2 * count).size(), count);
}

// More entries than are looked at before the lock is released.
TEST(LedgerFailed, ThoseOfADroppedSegmentAreForgottenAndNoOthers) {
  SegmentSet segments;
  Ledger ledger(segments, {1, 2}, 1 << 20);
  for (std::uint64_t i = 1; i <= count; ++i) {
    FailedEntry entry;
    entry.ref = {i, {i, i}};
    entry.first_group = i % 10 == 0 ? 7 : 3;
    ledger.restore_failed(entry);
    ledger.restore_moved({i, i}, i);
  }
  ledger.forget_before(7, count / 2);
  const auto failed = ledger.failed_refs({}, count + 1, count);
  ASSERT_EQ(failed.size(), count / 10);
  for (const IndexRef& ref : failed) EXPECT_EQ(ref.sequence % 10, 0U);
  const auto moved = ledger.moved_refs(count + 1, count);
  ASSERT_EQ(moved.size(), count / 2 + 1);
  EXPECT_EQ(moved.back().sequence, count / 2);
}

TEST(LedgerReplay, APartOfACheckpointTellsOfKeysThatTheLogDoesNotName) {
  SegmentSet segments;
  Ledger ledger(segments, {1, 2}, 1 << 20);
  const auto replay = [&ledger](const EncodedRecord& record) {
    const RecordView view{record.kind, record.payload, {}};
    ASSERT_TRUE(ledger.replay(Place{1, 1}, view));
  };
  KvRecord changed, erased, kept;
  changed.cat = erased.cat = kept.cat = "topics";
  changed.key = "changed";
  erased.key = "erased";
  kept.key = "kept";
  KvRecord newer = changed;
  newer.value = "newer";
  replay(encode_kv(RecordKind::kv_put, newer));
  replay(encode_kv(RecordKind::kv_put, erased));
  replay(encode_kv_erase(erased.cat, erased.key));
  for (const KvRecord& record : {changed, erased, kept}) {
    replay(encode_kv(RecordKind::kv_part, record));
  }
  EXPECT_EQ(ledger.find_kv("topics", ""), (std::vector{newer, kept}));
}

}  // namespace
}  // namespace concerto::persist
