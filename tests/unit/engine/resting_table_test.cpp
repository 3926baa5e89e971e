#include "resting_table.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace concerto {
namespace {

constexpr auto nothing = RestingTable::nothing;

Gid numbered(int number) {
  return Gid("resting-" + std::to_string(number));
}

TEST(RestingTable, FindsEachGidInItsSlotWhileItGrows) {
  RestingTable table;
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_EQ(table.find(numbered(i)), nothing);
    const RestingTable::Slot slot = table.find_or_insert(numbered(i));
    ASSERT_EQ(table.find_or_insert(numbered(i)), slot);
    table[slot].created = static_cast<std::uint32_t>(i);
  }
  EXPECT_EQ(table.size(), 5'000U);
  for (int i = 0; i < 5'000; ++i) {
    const RestingTable::Slot slot = table.find(numbered(i));
    ASSERT_NE(slot, nothing);
    ASSERT_EQ(table[slot].created, static_cast<std::uint32_t>(i));
    ASSERT_EQ(table[slot].gid.key().gid(), numbered(i));
  }
}

TEST(RestingTable, UsesAFreeSlotBeforeANewOne) {
  RestingTable table;
  for (int i = 0; i < 3'000; ++i) table.find_or_insert(numbered(i));
  for (int i = 0; i < 3'000; i += 2) table.erase(table.find(numbered(i)));
  EXPECT_EQ(table.size(), 1'500U);
  std::set<RestingTable::Slot> slots;
  for (int i = 0; i < 3'000; ++i) slots.insert(table.find_or_insert(numbered(i)));
  EXPECT_EQ(slots.size(), 3'000U);
  EXPECT_EQ(table.slots(), 3'000U);
}

TEST(RestingTable, StartsAnEntryAfresh) {
  RestingTable table;
  const RestingTable::Slot slot = table.find_or_insert(numbered(1));
  table[slot].type = 3;
  table[slot].has_later = 1;
  table.erase(slot);
  EXPECT_EQ(table[slot].type, 0);
  EXPECT_EQ(table.find(numbered(1)), nothing);
  EXPECT_EQ(table.find_or_insert(numbered(2)), slot);
  EXPECT_EQ(table[slot].has_later, 0);
  EXPECT_EQ(table[slot].place, nothing);
}

}  // namespace
}  // namespace concerto
