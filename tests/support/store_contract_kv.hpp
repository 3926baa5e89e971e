#pragma once

#include "store_contract_fixture.hpp"

/// The part of the contract about key-value records.
namespace concerto::test {

TEST_P(StoreContract, KeyValueRecordsAreCreatedOnce) {
  ASSERT_TRUE(wait(store().create_kv(sample_topic("t1", "a"))));
  const Result<> again = wait(store().create_kv(sample_topic("t1", "b")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EngineErrc::key_exists);
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
  EXPECT_EQ(stale.error().code, EngineErrc::key_not_found);
  restart();
  const auto found = wait(store().find_kv("topics", "t1")).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().value, "b");
  EXPECT_EQ(found.front().version, 2);
  EXPECT_EQ(found.front().create_time, at_second(0));
  EXPECT_EQ(found.front().update_time, at_second(9));
}

TEST_P(StoreContract, AKeyValueRecordIsCreatedWithItsVersion) {
  KvRecord record = sample_topic("t1", "a");
  record.version = 7;
  ASSERT_TRUE(wait(store().create_kv(record)));
  EXPECT_EQ(wait(store().find_kv("topics", "t1")).value(), std::vector<KvRecord>{record});
  ASSERT_TRUE(wait(store().update_kv(record)));
  EXPECT_EQ(wait(store().find_kv("topics", "t1")).value().front().version, 8);
}

TEST_P(StoreContract, KeyValueRecordsAreDeleted) {
  ASSERT_TRUE(wait(store().create_kv(sample_topic("t1", "a"))));
  ASSERT_TRUE(wait(store().delete_kv("topics", "t1")));
  const Result<> again = wait(store().delete_kv("topics", "t1"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EngineErrc::key_not_found);
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
