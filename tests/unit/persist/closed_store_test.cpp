// What a store answers once it is closed.

#include <filesystem>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbStore;

namespace {

class ClosedStore : public testing::Test {
 protected:
  ClosedStore() {
    store_ = LevelDbStore::open(small_options(dir_.path() + "/store"), clock_, log_).value();
    StoreHistory history;
    EXPECT_TRUE(history.create(*store_, sample_saga("in memory"), Durability::durable));
    store_->close();
  }

  template <class T>
  void expect_refused(Task<T> task) {
    const T answer = await_result(io_, std::move(task));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, EngineErrc::store_unavailable) << answer.error().detail;
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  asio::io_context io_{1};
  std::unique_ptr<LevelDbStore> store_;
};

TEST_F(ClosedStore, SaysOfNoTransactionThatItIsThereOrNot) {
  expect_refused(store_->load(Gid{"in memory"}));
  expect_refused(store_->load(Gid{"unknown"}));
  expect_refused(store_->list({}, "", 10));
  expect_refused(store_->scan_unfinished(0, 10));
}

TEST_F(ClosedStore, HasNoKeys) {
  KvRecord record;
  record.cat = "topics";
  record.key = "t";
  expect_refused(store_->create_kv(record));
  expect_refused(store_->find_kv("topics", "t"));
  expect_refused(store_->scan_kv("topics", "", 10));
}

TEST_F(ClosedStore, IsNotMaintainedAndFilesAreLeftAlone) {
  std::filesystem::remove_all(dir_.path() + "/store");
  const Result<> done = store_->maintain();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, EngineErrc::store_unavailable) << done.error().detail;
  EXPECT_EQ(store_->health().reasons, std::vector<std::string>{"the store is closed"});
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/store"));
}

}  // namespace
}  // namespace concerto::test
