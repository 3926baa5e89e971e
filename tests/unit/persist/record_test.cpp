#include "leveldb/record.hpp"

#include <gtest/gtest.h>

#include "leveldb/crc32c.hpp"
#include "leveldb/fingerprint.hpp"
#include "sample_transactions.hpp"

namespace concerto::persist {
namespace {

using test::at_second;
using test::sample_branch;
using test::sample_saga;

/// A delta that uses every field.
TransDelta full_delta() {
  TransDelta delta;
  delta.at = at_second(5);
  delta.status = TransStatus::failed;
  delta.rollback_reason = "no";
  delta.result = "cmVzdWx0";
  delta.custom_data = "{}";
  delta.options = sample_saga("x").options;
  delta.submit_time = at_second(4);
  delta.schedule = Schedule{std::chrono::seconds{20}, at_second(25), true};
  delta.retry_count = -7;
  delta.branch_changes = {{1, BranchStatus::succeed, at_second(5)},
                          {70000, BranchStatus::failed, at_second(-5)}};
  delta.new_payloads = {"", "p"};
  delta.new_branches = {sample_branch("03", "try", 2), sample_branch("03", "cancel", 3)};
  delta.row_edits = {{0, "http://other/", 2, at_second(6)},
                     {70000, "", std::nullopt, at_second(-6)},
                     {1, std::nullopt, 0, at_second(7)}};
  return delta;
}

Transaction full_transaction() {
  Transaction trans = sample_saga("g1");
  trans.waits = true;
  trans.finish_time = at_second(8);
  trans.rollback_time = at_second(9);
  trans.rollback_reason = "reason";
  trans.result = "r";
  trans.query_prepared = "http://q";
  trans.retry_count = 3;
  trans.options.concurrent = true;
  trans.branches[1].status = BranchStatus::failed;
  trans.branches[1].update_time = at_second(7);
  trans.branches[1].finish_time = WallTime{};
  trans.branches[2].create_time.reset();
  return trans;
}

TEST(Crc32c, AgreesWithTheStandardAndWithItself) {
  EXPECT_EQ(crc32c(0, "123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c_portable(0, "123456789"), 0xE3069283U);
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc32c(0, text), crc32c_portable(0, text)) << i;
    EXPECT_EQ(crc32c(crc32c(0, text.substr(0, text.size() / 3)), text.substr(text.size() / 3)),
              crc32c(0, text));
    text.push_back(static_cast<char>(i * 37));
  }
}

// The vector of SipHash-2-4-128's authors: key 00..0f, input of 15 bytes 00..0e.
TEST(Fingerprint, IsSipHash128) {
  std::string input;
  for (char c = 0; c < 15; ++c) input.push_back(c);
  const Fingerprint got = fingerprint({0x0706050403020100, 0x0f0e0d0c0b0a0908}, input);
  EXPECT_EQ(got.high, 0x11a8b03399e99354U);
  EXPECT_EQ(got.low, 0xd9c3cf970fec087eU);
  const Fingerprint other = fingerprint({0x0706050403020100, 0x0f0e0d0c0b0a0909}, input);
  EXPECT_NE(got, other);
}

TEST(TransCodec, RefusesABranchWhosePayloadIsNotThere) {
  Transaction trans = sample_saga("g1");
  trans.branches[1].payload = 2;
  const EncodedRecord record = encode_transaction(RecordKind::submit, trans);
  EXPECT_EQ(decode_transaction(record.payload), std::nullopt);
}

TEST(TransCodec, RoundTrips) {
  for (const Transaction& trans : {Transaction{}, sample_saga("g1"), full_transaction()}) {
    Transaction valid = trans;
    const EncodedRecord record = encode_transaction(RecordKind::submit, valid);
    EXPECT_EQ(decode_transaction(record.payload), valid);
    EXPECT_EQ(gid_of(record.payload), valid.gid.view());
  }
}

TEST(TransCodec, KeepsTimesAtTheEndsOfTheirRange) {
  Transaction trans = sample_saga("g1");
  trans.create_time = WallTime::min();
  trans.update_time = WallTime::max();
  trans.next_cron_time = WallTime{};
  EXPECT_EQ(decode_transaction(encode_transaction(RecordKind::moved, trans).payload), trans);
}

// The store does not ask which modes exist, but every table by mode has so many places.
TEST(TransCodec, TakesTheNumbersThatModesMayHave) {
  Transaction trans = sample_saga("g1");
  for (std::size_t number = 0; number < 256; ++number) {
    trans.type = static_cast<TransType>(number);
    const auto decoded = decode_transaction(encode_transaction(RecordKind::submit, trans).payload);
    const bool is_kept = decoded.has_value() && decoded->type == trans.type;
    EXPECT_EQ(is_kept, number > 0 && number < trans_types) << number;
  }
}

TEST(DeltaCodec, RoundTrips) {
  for (const TransDelta& delta : {TransDelta{}, full_delta()}) {
    const EncodedRecord record = encode_delta(RecordKind::decision, Gid{"g1"}, delta);
    const auto decoded = decode_delta(record.payload);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->gid.str(), "g1");
    EXPECT_EQ(decoded->delta, delta);
  }
}

TEST(KvCodec, RoundTrips) {
  const KvRecord record{"topics", "t", "value", 7, at_second(1), at_second(2)};
  EXPECT_EQ(decode_kv(encode_kv(RecordKind::kv_put, record).payload), record);
  const auto erased = decode_kv_erase(encode_kv_erase("topics", "t").payload);
  ASSERT_TRUE(erased);
  EXPECT_EQ(erased->key, "t");
}

TEST(UnfinishedCodec, RoundTrips) {
  UnfinishedEntry entry;
  entry.fingerprint = {1, 2};
  entry.sequence = 3;
  entry.first = {4, 5};
  entry.last = {6, 7};
  entry.branches = 8;
  entry.payloads = 9;
  entry.chain = 1000;
  const std::vector<UnfinishedEntry> entries(3, entry);
  EXPECT_EQ(decode_unfinished_part(encode_unfinished_part(entries).payload), entries);
  const auto end = decode_unfinished_end(encode_unfinished_end({1, 2, 3}).payload);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->last_sequence, 3U);
}

// No cut of a payload decodes, and none crashes the decoder.
TEST(Codecs, RejectEveryTruncation) {
  const std::string trans = encode_transaction(RecordKind::submit, full_transaction()).payload;
  for (std::size_t i = 0; i < trans.size(); ++i) {
    EXPECT_FALSE(decode_transaction(trans.substr(0, i))) << i;
  }
  const std::string delta = encode_delta(RecordKind::finish, Gid{"g"}, full_delta()).payload;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    EXPECT_FALSE(decode_delta(delta.substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_transaction(trans + "x"));
  EXPECT_FALSE(decode_delta(delta + "x"));
}

struct MalformedCase {
  const char* name;
  std::string payload;
};

class MalformedDelta : public testing::TestWithParam<MalformedCase> {};

TEST_P(MalformedDelta, IsRejected) {
  EXPECT_FALSE(decode_delta(GetParam().payload));
}

const std::string at_bytes(8, '\0');
INSTANTIATE_TEST_SUITE_P(
    Rows, MalformedDelta,
    testing::Values(MalformedCase{"Empty", ""}, MalformedCase{"GidLongerThanPayload", "\x05g"},
                    MalformedCase{"UnknownField", "\x01g" + at_bytes + std::string("\x80\x10", 2)},
                    MalformedCase{"UnknownStatus", "\x01g" + at_bytes + std::string("\x01\x09", 2)},
                    MalformedCase{"VarintWithoutEnd",
                                  "\x01g" + at_bytes + std::string(11, '\xff')}),
    [](const auto& row) { return std::string(row.param.name); });

class GroupTest : public testing::Test {
 protected:
  GroupTest() {
    Link link;
    link.sequence = 42;
    append_record(group_, encode_transaction(RecordKind::submit, sample_saga("g1")), link);
    second_ = group_.size();
    link.previous = {1, 1};
    link.first = {1, 2};
    append_record(group_, encode_delta(RecordKind::decision, Gid{"g1"}, full_delta()), link);
  }

  std::string group_;
  std::size_t second_ = 0;
};

TEST_F(GroupTest, AppendReturnsTheOffsetOfTheRecord) {
  const EncodedRecord record = encode_kv_erase("topics", "t");
  const std::size_t end = group_.size();
  EXPECT_EQ(append_record(group_, record, {}), end);
  std::string fresh;
  const std::size_t first = append_record(fresh, record, {});
  EXPECT_EQ(first_record(fresh), first);
}

TEST_F(GroupTest, ShowsItsRecordsInOrder) {
  auto offset = first_record(group_);
  ASSERT_TRUE(offset);
  const auto first = read_record(group_, *offset);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, RecordKind::submit);
  EXPECT_EQ(first->link.sequence, 42U);
  EXPECT_EQ(*offset, second_);
  const auto second = read_record(group_, *offset);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->link.previous, (Place{1, 1}));
  EXPECT_EQ(second->link.first, (Place{1, 2}));
  EXPECT_EQ(*offset, group_.size());
  EXPECT_FALSE(read_record(group_, *offset));
}

TEST_F(GroupTest, NoticesEveryFlippedBit) {
  for (std::size_t i = second_; i < group_.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = group_;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      std::size_t offset = second_;
      EXPECT_FALSE(read_record(flipped, offset)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST_F(GroupTest, OfAnotherVersionIsNotRead) {
  group_.front() = static_cast<char>(group_version + 1);
  EXPECT_FALSE(first_record(group_));
  EXPECT_FALSE(first_record(""));
}

}  // namespace
}  // namespace concerto::persist
