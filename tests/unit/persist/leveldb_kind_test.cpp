// The embedded store as a configuration opens and drops it.

#include <filesystem>

#include <gtest/gtest.h>

#include <concerto/persist/store_factory.hpp>

#include "await_result.hpp"
#include "store_files.hpp"

namespace concerto::test {
namespace {

using persist::LevelDbStore;

class LevelDbKind : public testing::Test {
 protected:
  LevelDbKind() { settings_.path = dir_.path() + "/store"; }

  /// A store with an unfinished transaction and a finished one.
  void make_store() {
    const auto store = LevelDbStore::open(small_options(settings_.path), clock_, log_).value();
    asio::io_context io{1};
    const Transaction unfinished = sample_saga("g1");
    Transaction finished = sample_saga("g2");
    finished.status = TransStatus::succeed;
    ASSERT_TRUE(await_result(io, store->commit(create(unfinished))));
    ASSERT_TRUE(await_result(io, store->commit(create(finished))));
  }
  std::optional<std::size_t> unfinished() {
    return kind_->count_unfinished(settings_, clock_, log_).value();
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  const persist::StoreKinds kinds_ = persist::StoreKinds::standard();
  const persist::StoreKind* const kind_ = kinds_.find("leveldb");
  persist::StoreSettings settings_;
};

TEST_F(LevelDbKind, IsTheOneThatSettingsNameWhenTheyNameNone) {
  auto opened = kinds_.open(settings_, clock_, log_);
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_NE(dynamic_cast<LevelDbStore*>(opened->get()), nullptr);
}

TEST_F(LevelDbKind, NeedsAPath) {
  settings_.path.clear();
  const Result<> checked = kinds_.check(settings_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().detail, "Store.Path is empty; the embedded store needs a directory");
}

TEST_F(LevelDbKind, CountsWhatIsUnfinishedUntilItIsDropped) {
  EXPECT_EQ(unfinished(), std::nullopt);
  make_store();
  EXPECT_EQ(unfinished(), 1U);
  EXPECT_EQ(kind_->place(settings_), "'" + settings_.path + "'");
  ASSERT_TRUE(kind_->drop(settings_));
  EXPECT_EQ(unfinished(), std::nullopt);
  EXPECT_TRUE(kind_->drop(settings_)) << "nothing is left to drop";
}

TEST_F(LevelDbKind, WhatCannotBeReadIsNotCountedAsNothing) {
  make_store();
  std::filesystem::remove(settings_.path + "/STATE");
  EXPECT_FALSE(kind_->count_unfinished(settings_, clock_, log_));
}

}  // namespace
}  // namespace concerto::test
