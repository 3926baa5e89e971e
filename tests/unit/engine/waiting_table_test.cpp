#include "waiting_table.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace concerto {
namespace {

constexpr auto nothing = WaitingTable::nothing;

Gid numbered(int number) {
  return Gid("waiting-" + std::to_string(number));
}

TEST(WaitingTable, FindsEachGidAtItsIndexWhileItGrows) {
  WaitingTable table;
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_EQ(table.find(numbered(i)), nothing);
    const WaitingTable::Index index = table.find_or_insert(numbered(i));
    ASSERT_EQ(table.find_or_insert(numbered(i)), index);
    table[index].created = static_cast<std::uint32_t>(i);
  }
  EXPECT_EQ(table.size(), 5'000U);
  for (int i = 0; i < 5'000; ++i) {
    const WaitingTable::Index index = table.find(numbered(i));
    ASSERT_NE(index, nothing);
    ASSERT_EQ(table[index].created, static_cast<std::uint32_t>(i));
    ASSERT_EQ(table[index].gid.key().gid(), numbered(i));
  }
}

TEST(WaitingTable, UsesAFreeEntryBeforeANewOne) {
  WaitingTable table;
  for (int i = 0; i < 3'000; ++i) table.find_or_insert(numbered(i));
  for (int i = 0; i < 3'000; i += 2) table.erase(table.find(numbered(i)));
  EXPECT_EQ(table.size(), 1'500U);
  std::set<WaitingTable::Index> indexes;
  for (int i = 0; i < 3'000; ++i) indexes.insert(table.find_or_insert(numbered(i)));
  EXPECT_EQ(indexes.size(), 3'000U);
  EXPECT_EQ(table.index_end(), 3'000U);
}

TEST(WaitingTable, ClearsAnEntryThatIsErased) {
  WaitingTable table;
  const WaitingTable::Index index = table.find_or_insert(numbered(1));
  table[index].type = 3;
  table[index].has_later = 1;
  table.erase(index);
  EXPECT_EQ(table[index].type, 0);
  EXPECT_EQ(table.find(numbered(1)), nothing);
  EXPECT_EQ(table.find_or_insert(numbered(2)), index);
  EXPECT_EQ(table[index].has_later, 0);
  EXPECT_EQ(table[index].heap_index, nothing);
}

}  // namespace
}  // namespace concerto
