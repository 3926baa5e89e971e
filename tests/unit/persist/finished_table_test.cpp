#include "leveldb/finished_table.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace concerto::persist {
namespace {

Fingerprint nth(std::uint64_t number) {
  return {number << 58 | number, number * 7};
}

FinishedPlaces places_at(std::uint64_t group) {
  FinishedPlaces places;
  places.first = places.last = {group, 1};
  return places;
}

TEST(FinishedTable, FindsWhatWasPutLast) {
  FinishedTable table;
  for (std::uint64_t i = 0; i < 1000; ++i) table.put(nth(i), places_at(1));
  for (std::uint64_t i = 0; i < 1000; i += 2) table.put(nth(i), places_at(2));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const FinishedPlaces* found = table.find(nth(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->first.group, i % 2 == 0 ? 2U : 1U);
  }
  EXPECT_EQ(table.find(nth(1000)), nullptr);
}

TEST(FinishedTable, AddsOnlyWhatItDoesNotKnow) {
  FinishedTable older;
  older.put(nth(1), places_at(1));
  older.put(nth(2), places_at(1));
  FinishedTable table;
  table.put(nth(1), places_at(5));
  table.add(older);
  EXPECT_EQ(table.find(nth(1))->first.group, 5U);
  EXPECT_EQ(table.find(nth(2))->first.group, 1U);
}

TEST(FinishedTable, ErasesByCondition) {
  FinishedTable table;
  for (std::uint64_t i = 0; i < 200; ++i) table.put(nth(i), places_at(i));
  for (std::size_t part = 0; part < FinishedTable::part_count; ++part) {
    table.erase_if(part, [](const auto& entry) { return entry.second.first.group < 150; });
  }
  EXPECT_EQ(table.find(nth(149)), nullptr);
  EXPECT_NE(table.find(nth(150)), nullptr);
  table.clear();
  EXPECT_EQ(table.find(nth(150)), nullptr);
}

// A checkpoint sorts the entries of a few parts at a time. With ordered parts, all of it is sorted.
TEST(FinishedTable, PartsAreOrderedByFingerprint) {
  FinishedTable table;
  for (std::uint64_t i = 0; i < 1000; ++i) table.put(nth(i), places_at(i));
  Fingerprint highest_before;
  std::size_t entries = 0;
  for (const FinishedTable::Part& part : table.parts()) {
    Fingerprint highest = highest_before;
    for (const auto& [fingerprint, places] : part) {
      EXPECT_LE(highest_before, fingerprint);
      highest = std::max(highest, fingerprint);
      ++entries;
    }
    highest_before = highest;
  }
  EXPECT_EQ(entries, 1000U);
}

}  // namespace
}  // namespace concerto::persist
