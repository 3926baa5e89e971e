#include "leveldb/unfinished_table.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "leveldb/gid_filter.hpp"

namespace concerto::persist {
namespace {

UnfinishedEntry entry_of(std::uint64_t high, std::uint64_t low) {
  UnfinishedEntry entry;
  entry.fingerprint = {high, low};
  entry.first = entry.last = {high + 1, 1};
  return entry;
}

/// The shift of the low halves of the fingerprints. The index has the high bits of these halves.
class UnfinishedTableBits : public testing::TestWithParam<int> {};

// Compares the table with a map, with fingerprints that fall into the same places of the index.
TEST_P(UnfinishedTableBits, AgreesWithAMap) {
  std::mt19937_64 random(7);
  UnfinishedTable table;
  std::map<Fingerprint, Place> model;
  for (int i = 0; i < 50'000; ++i) {
    const UnfinishedEntry entry = entry_of(random() % 3000, random() % 3 << GetParam());
    if (model.contains(entry.fingerprint)) {
      table.erase(entry.fingerprint);
      model.erase(entry.fingerprint);
    } else {
      table.insert(entry);
      model.emplace(entry.fingerprint, entry.last);
    }
  }
  ASSERT_EQ(table.size(), model.size());
  for (const auto& [fingerprint, last] : model) {
    const UnfinishedEntry* found = table.find(fingerprint);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->last, last);
  }
  std::size_t seen = 0;
  for (std::size_t slot = 0; slot < table.slots(); ++slot) {
    if (const UnfinishedEntry* entry = table.at_slot(slot)) seen += model.count(entry->fingerprint);
  }
  EXPECT_EQ(seen, model.size());
}

INSTANTIATE_TEST_SUITE_P(Shifted, UnfinishedTableBits, testing::Values(0, 31, 40, 62));

TEST(UnfinishedTable, EntriesStayWhereTheyAre) {
  UnfinishedTable table;
  const UnfinishedEntry* first = &table.insert(entry_of(1, 1));
  for (std::uint64_t i = 2; i < 10'000; ++i) table.insert(entry_of(i, i));
  EXPECT_EQ(table.find({1, 1}), first);
}

TEST(UnfinishedTable, AMillionTakeLessThanAHundredBytesEach) {
  constexpr std::uint64_t million = 1'000'000;
  UnfinishedTable table;
  for (std::uint64_t i = 0; i < million; ++i) table.insert(entry_of(i * 0x9E3779B97F4A7C15, i));
  EXPECT_EQ(table.size(), million);
  EXPECT_LT(table.bytes() / million, 100U);
}

TEST(GidFilter, KnowsWhatItHasAndLittleElse) {
  std::mt19937_64 random(1);
  constexpr std::size_t keys = 36'000;
  GidFilter filter(64 << 10);  // 14 bits a key
  std::vector<Fingerprint> known;
  for (std::size_t i = 0; i < keys; ++i) known.push_back({random(), random()});
  for (const Fingerprint& key : known) filter.insert(key);
  for (const Fingerprint& key : known) EXPECT_TRUE(filter.may_contain(key));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < keys; ++i) wrong += filter.may_contain({random(), random()}) ? 1 : 0;
  EXPECT_LT(wrong, keys / 50);
}

TEST(GidFilter, SurvivesEncoding) {
  GidFilter filter(4096);
  filter.insert({1, 2});
  GidFilter copy(64);
  ASSERT_TRUE(copy.decode(filter.encode()));
  EXPECT_TRUE(copy.may_contain({1, 2}));
  EXPECT_FALSE(copy.may_contain({~0ULL, ~0ULL}));
  EXPECT_EQ(copy.keys(), 1U);
  std::string damaged = filter.encode();
  damaged[100] ^= 1;
  EXPECT_FALSE(copy.decode(damaged));
  EXPECT_FALSE(copy.decode(""));
}

}  // namespace
}  // namespace concerto::persist
