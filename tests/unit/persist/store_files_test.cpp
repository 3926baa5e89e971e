#include "leveldb/store_files.hpp"

#include <gtest/gtest.h>

#include "sample_transactions.hpp"

namespace concerto::persist {
namespace {

StoreState sample_state() {
  StoreState state;
  SegmentState segment;
  segment.number = 3;
  segment.first_group = 40;
  segment.first_sequence = 7;
  segment.opened = test::at_second(1);
  segment.sealed = true;
  segment.newest_finish = test::at_second(2);
  state.segments = {segment, segment};
  state.checkpoint_first = 5;
  state.checkpoint_end = 6;
  state.clean = true;
  state.clean_last_group = 99;
  return state;
}

TEST(StoreFiles, StateRoundTrips) {
  const StoreState state = sample_state();
  const auto parsed = parse_state("STATE", encode(state));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(encode(*parsed), encode(state));
  EXPECT_EQ(parsed->segments[1].first_group, 40U);
  EXPECT_TRUE(parsed->segments[1].sealed);
  EXPECT_EQ(parsed->clean_last_group, 99U);
}

TEST(StoreFiles, IdentityRoundTrips) {
  StoreIdentity identity;
  identity.key = {0x0123456789abcdef, 0xfedcba9876543210};
  const auto parsed = parse_identity("IDENTITY", encode(identity));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->key, identity.key);
}

TEST(StoreFiles, EveryFlippedByteIsNoticed) {
  const std::string state = encode(sample_state());
  const std::string identity = encode(StoreIdentity{});
  for (std::size_t i = 0; i < state.size(); ++i) {
    std::string flipped = state;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(parse_state("STATE", flipped)) << i;
  }
  for (std::size_t i = 0; i < identity.size(); ++i) {
    std::string flipped = identity;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(parse_identity("IDENTITY", flipped)) << i;
  }
}

TEST(StoreFiles, EveryTruncationIsNoticed) {
  const std::string state = encode(sample_state());
  for (std::size_t i = 0; i < state.size(); ++i) {
    EXPECT_FALSE(parse_state("STATE", state.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace concerto::persist
